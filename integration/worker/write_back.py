"""What is written back to Dataverse: the result columns, with the ETag that was read."""

from collections.abc import Callable, Mapping
from typing import Any

from integration.clock import Clock
from integration.dataverse import DataverseClient, Row
from integration.errors import Conflict, Transient
from integration.events import IntegrationEvent
from integration.worker.mapping import ENTITY_SETS, RESULTS, version_of
from integration.worker.work import Work, digest

SYNCED, FAILED = 1, 2
_TRIES = 5


class WriteBack:
    """Writes result columns; their names carry the publisher's prefix (docs/connect-dataverse.md)."""

    def __init__(self, dataverse: DataverseClient, clock: Clock, *, prefix: str, tag: str) -> None:
        self._dataverse = dataverse
        self._clock = clock
        self._prefix = prefix
        self._tag = tag

    def write(
        self,
        work: Work,
        effect: str,
        table: str,
        row: Row,
        results: Mapping[str, Any],
        *,
        read_again: Callable[[], Row],
        same: Callable[[Row], bool],
    ) -> int:
        """Write `results` (without prefix) and that the row is synced; the row's version afterwards.

        The ETag that was read goes along. Where somebody changed the row meanwhile, it is read again: if what was
        decided on is the `same`, the results still hold and are written with the new ETag; else raises `Conflict`.
        """

        def do(_key: str) -> Mapping[str, Any]:
            current = row
            for _ in range(_TRIES):
                try:
                    written = self._dataverse.update(
                        ENTITY_SETS[table],
                        row.id,
                        self._columns(table, results, SYNCED, None),
                        etag=current.etag,
                        tag=self._tag,
                        context=work.context,
                    )
                except Conflict:
                    current = read_again()
                    if not same(current):
                        raise
                else:
                    return {"version": version_of(written)}
            raise Transient(f"{table} {row.id} changes faster than it can be written", reason="row-contended")

        return int(work.once(effect, digest(table, row.id, results), do, repeatable=True)["version"])

    def mark_failed(self, event: IntegrationEvent, reason: str) -> None:
        """Tell the people who look at the row that it did not get through; they find the reason there."""
        if event.record_id is None:
            return
        columns = self._columns(event.table, {}, FAILED, f"{reason} (event {event.event_id})")
        self._dataverse.update(ENTITY_SETS[event.table], event.record_id, columns, etag=None, tag=self._tag)

    def _columns(self, table: str, results: Mapping[str, Any], status: int, message: str | None) -> dict[str, Any]:
        """Of declared results only: an update of anything else comes back from the intake as an event."""
        now = self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        named = {**results, "syncstatus": status, "syncedon": now, "syncmessage": message}
        if undeclared := named.keys() - RESULTS[table]:
            raise ValueError(f"not declared in mapping.RESULTS: {', '.join(sorted(undeclared))} of {table}")
        return {f"{self._prefix}_{name}": value for name, value in named.items()}
