"""What is written back to Dataverse: the result columns, with the ETag that was read, where the row lacks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integration.clock import Clock
from integration.dataverse import DataverseClient, Row, version_of
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.transport import CallContext
from integration.transport.detailed_calls import calls_of_attempt
from integration.worker.comparing import has_to_be_written
from integration.worker.work import Work

SYNCED, FAILED = 1, 2
STATUS_COLUMNS = ("syncstatus", "syncedon", "syncmessage")
"""Result columns of every table that is written to."""


@dataclass(frozen=True, slots=True)
class Target:
    """A table that is written to: its entity set, and its result columns besides `STATUS_COLUMNS`, without prefix."""

    table: str
    entity_set: str
    results: tuple[str, ...]


class WriteBack:
    """Writes result columns; their names carry the publisher's prefix (docs/how-to/connect-dataverse.md)."""

    def __init__(self, dataverse: DataverseClient, clock: Clock, *, prefix: str, tag: str) -> None:
        self._dataverse = dataverse
        self._clock = clock
        self.prefix = prefix
        self.tag = tag

    def reads(self, target: Target) -> tuple[str, ...]:
        """The columns to read, with prefix, so that what is right already is not written again."""
        return tuple(f"{self.prefix}_{name}" for name in (*target.results, "syncstatus", "syncmessage"))

    async def write(self, work: Work, target: Target, row: Row, results: Mapping[str, Any]) -> None:
        """Bring the row's result columns (named without prefix) to `results` and to synced.

        Raises `Conflict` where somebody changed the row after it was read: what was decided may no longer hold.
        Numbers are alternate keys, and a system that was restored from an older copy gives them anew: a record that is
        sent again and whose number another row still has gives its own up, and `Transient` lets it wait for the other.
        """
        wanted = self._named(target, {**results, "syncstatus": SYNCED, "syncmessage": None})
        if not has_to_be_written(row, wanted):
            return
        wanted |= self._named(target, {"syncedon": self._now()})
        try:
            written = await self._update(work, target, row, wanted)
        except Permanent as error:
            if error.reason != "dataverse-duplicate" or not work.event.forced:
                raise
            await self._update(work, target, row, self._named(target, dict.fromkeys(results)))
            raise Transient("another row still has the number", reason="number-taken", service="dataverse") from error
        name = "write-back" if target.table == work.event.table else f"write-back-{target.table}"
        work.done(name, ", ".join(sorted(results)))
        if row.id == work.event.record_id:
            work.row_version = version_of(written)

    async def _update(self, work: Work, target: Target, row: Row, values: Mapping[str, Any]) -> Row:
        return await self._dataverse.update(
            target.entity_set, row.id, values, etag=row.etag, tag=self.tag, context=work.context
        )

    async def mark_failed(self, target: Target, event: IntegrationEvent, reason: str) -> int:
        """Show the people who look at the row that it did not get through; they find the reason there.

        Returns the version that the row has now; 0 where the event has no record, or Dataverse says no version.
        """
        if event.record_id is None:
            return 0
        message = f"{reason} (event {event.event_id})"
        columns = self._named(target, {"syncstatus": FAILED, "syncedon": self._now(), "syncmessage": message})
        context = CallContext.of(event, calls=calls_of_attempt())
        written = await self._dataverse.update(
            target.entity_set, event.record_id, columns, etag=None, tag=self.tag, context=context
        )
        return written.version or 0

    def _named(self, target: Target, values: Mapping[str, Any]) -> dict[str, Any]:
        """With prefix; of declared results only, as an update of anything else comes back as an event."""
        if undeclared := values.keys() - {*target.results, *STATUS_COLUMNS}:
            raise ValueError(f"not declared as results of {target.table}: {', '.join(sorted(undeclared))}")
        return {f"{self.prefix}_{name}": value for name, value in values.items()}

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
