"""What is written back to Dataverse: the result columns, with the ETag that was read, where the row lacks them."""

from collections.abc import Mapping
from typing import Any

from integration.clock import Clock
from integration.dataverse import DataverseClient, Row, differs
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.worker.mapping import ENTITY_SETS, RESULTS, version_of
from integration.worker.work import Work

SYNCED, FAILED = 1, 2
STATUS_COLUMNS = ("syncstatus", "syncmessage")


class WriteBack:
    """Writes result columns; their names carry the publisher's prefix (docs/how-to/connect-dataverse.md)."""

    def __init__(self, dataverse: DataverseClient, clock: Clock, *, prefix: str, tag: str) -> None:
        self._dataverse = dataverse
        self._clock = clock
        self._prefix = prefix
        self._tag = tag

    def columns(self, results: tuple[str, ...]) -> tuple[str, ...]:
        """The columns to read, with prefix, so that what is right already is not written again."""
        return tuple(f"{self._prefix}_{name}" for name in (*results, *STATUS_COLUMNS))

    def value(self, row: Row | None, result: str) -> Any:
        """What the row has in this result column; None without a row."""
        return row.values.get(f"{self._prefix}_{result}") if row is not None else None

    async def write(self, work: Work, table: str, row: Row, results: Mapping[str, Any]) -> None:
        """Bring the row's result columns (named without prefix) to `results` and to synced.

        Raises `Conflict` where somebody changed the row after it was read: what was decided may no longer hold.
        Numbers are alternate keys, and a system that was restored from an older copy gives them anew: a record that is
        sent again and whose number another row still has gives its own up, and `Transient` lets it wait for the other.
        """
        wanted = self._named(table, {**results, "syncstatus": SYNCED, "syncmessage": None})
        if not differs(row, wanted):
            return
        wanted |= self._named(table, {"syncedon": self._now()})
        try:
            written = await self._update(work, table, row, wanted)
        except Permanent as error:
            if error.reason != "dataverse-duplicate" or not work.event.forced:
                raise
            await self._update(work, table, row, self._named(table, dict.fromkeys(results)))
            raise Transient("another row still has the number", reason="number-taken", service="dataverse") from error
        work.done("write-back" if table == work.event.table else f"write-back-{table}", ", ".join(sorted(results)))
        if row.id == work.event.record_id:
            work.row_version = version_of(written)

    async def _update(self, work: Work, table: str, row: Row, values: Mapping[str, Any]) -> Row:
        return await self._dataverse.update(
            ENTITY_SETS[table], row.id, values, etag=row.etag, tag=self._tag, context=work.context
        )

    async def mark_failed(self, event: IntegrationEvent, reason: str) -> None:
        """Show the people who look at the row that it did not get through; they find the reason there."""
        if event.record_id is None:
            return
        message = f"{reason} (event {event.event_id})"
        columns = self._named(event.table, {"syncstatus": FAILED, "syncedon": self._now(), "syncmessage": message})
        await self._dataverse.update(ENTITY_SETS[event.table], event.record_id, columns, etag=None, tag=self._tag)

    def _named(self, table: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """With prefix; of declared results only, as an update of anything else comes back as an event."""
        if undeclared := values.keys() - set(RESULTS[table]):
            raise ValueError(f"not declared in mapping.RESULTS: {', '.join(sorted(undeclared))} of {table}")
        return {f"{self._prefix}_{name}": value for name, value in values.items()}

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
