"""Writes rows for people without holding up events: waits a moment, and joins several changes of one event."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from integration.batching import Batcher, each, persistently
from integration.errors import IntegrationError
from integration.events import IntegrationEvent
from integration.ledger import keys
from integration.ledger.rows import index_rows
from integration.tables import Entity, Table, TableRejected
from integration.telemetry import get_logger

_LINGER_SECONDS: Final = 0.2
_FLUSH_SECONDS, _CROWDED_SECONDS = 2.0, 30.0
_CROWDED: Final = 1_000
"""More rows wait only where the tables are slower than the events: then events wait for the tables."""
_MOST_WAITING: Final = 20_000
_PLACES_SECONDS, _MOST_PLACES = 3.0, 400
"""Rows that the intake has nearly always written already can wait for others: a transaction takes a hundred rows."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Change:
    """An entity to be merged into a table; an `entity` that has only its keys means a deletion."""

    table: str
    entity: Entity
    delete: bool = False


class StatusWriter:
    """Merges rows of events and problems.

    What is written here decides nothing. While the tables are unavailable, rows are kept for ten minutes and up to a
    limit. A row that is lost is rebuilt from the record when somebody asks for it. Rows of one event are written in the
    order in which they were given.
    """

    def __init__(self, table: Callable[[str], Table]) -> None:
        self._table = table
        self._changes: Batcher[_Change] = Batcher(self._write, linger=_LINGER_SECONDS, largest_batch=100)
        self._places: Batcher[_Change] = Batcher(self._write, linger=_PLACES_SECONDS, largest_batch=_MOST_PLACES)
        self._dropped = 0

    def put(self, row: Entity) -> None:
        """Merge the row of an event, soon."""
        self._submit(_Change(_events_table(row), row))

    def put_places(self, event: IntegrationEvent) -> None:
        """Write the event's entries in the indexes within seconds: the intake may not have written them."""
        table = keys.index_table(keys.month_of(event.event_id))
        for row in index_rows(event):
            self._submit(_Change(table, row), self._places)

    def put_problem(self, row: Entity) -> None:
        """Show the event in the list of problems, soon."""
        self._submit(_Change(keys.PROBLEMS, row))

    def clear_problem(self, state: str, event_id: str) -> None:
        """Take the event from the list of problems, soon."""
        partition, row = keys.problem_keys(state, event_id)
        self._submit(_Change(keys.PROBLEMS, {"PartitionKey": partition, "RowKey": row}, delete=True))

    async def flushed(self, row: Entity) -> None:
        """Merge the row of an event and wait until it is written; does not raise if it cannot be written.

        It waits for two seconds, or for thirty where many rows wait, so that they do not fill the memory.
        """
        crowded = self._changes.waiting + self._places.waiting > _CROWDED
        written = self._changes.submit(_Change(_events_table(row), row), urgent=True)
        with suppress(IntegrationError, TimeoutError):  # `_write` has logged the failure, or is still trying
            await asyncio.wait_for(asyncio.shield(written), _CROWDED_SECONDS if crowded else _FLUSH_SECONDS)

    async def drain(self) -> None:
        """Write what is waiting."""
        await self._changes.drain()
        await self._places.drain()

    def _submit(self, change: _Change, batches: Batcher[_Change] | None = None) -> None:
        batches = batches or self._changes
        if batches.waiting < _MOST_WAITING:
            batches.submit(change)
        else:
            self._dropped += 1

    async def _write(self, changes: Sequence[_Change]) -> None:
        merges: dict[str, list[Entity]] = {}
        last: dict[tuple[str, str, str], _Change] = {}
        for change in changes:
            last[change.table, str(change.entity["PartitionKey"]), str(change.entity["RowKey"])] = change
        for change in changes:
            key = (change.table, str(change.entity["PartitionKey"]), str(change.entity["RowKey"]))
            if not last[key].delete:
                merges.setdefault(change.table, []).append(change.entity)

        async def write() -> None:
            # Deletions first: an event whose row does not say yet that it has ended is looked into when somebody asks,
            # and one that has ended is not.
            await each(self._delete, [change for change in last.values() if change.delete])
            await asyncio.gather(*(self._merge(self._table(name), entities) for name, entities in merges.items()))

        try:
            await persistently(write, asyncio.sleep)
        except IntegrationError as error:
            _log.warning("status-not-written", error=error, count=len(changes))
            raise
        if self._dropped:
            _log.warning("status-not-written", count=self._dropped)
            self._dropped = 0

    async def _delete(self, change: _Change) -> None:
        await self._table(change.table).delete(str(change.entity["PartitionKey"]), str(change.entity["RowKey"]))

    @staticmethod
    async def _merge(table: Table, entities: Sequence[Entity]) -> None:
        """Merge them together; if one is refused, merge one by one, so that only the refused one is missing."""
        try:
            await table.merge_all(entities)
        except TableRejected:
            for entity in entities:
                try:
                    await table.merge(entity)
                except TableRejected as error:
                    _log.error("status-rejected", event_id=str(entity["RowKey"]), error=error)


def _events_table(row: Entity) -> str:
    return keys.events_table(keys.month_of(str(row["RowKey"])))
