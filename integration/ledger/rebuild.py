"""Writes the rows and lists that people look at again from the records: after an import, or if they do not agree.

1. Notes of the old layout are carried over (see `legacy`).
2. Dead letters that a record knows and that have no row of their own get one.
3. Every event whose row says that it is under way is compared with its record, which says whether it has ended.
4. Indexes and problems are written again from the rows of events; problems that are over are removed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from integration.batching import each
from integration.clock import iso
from integration.ledger import keys, rows
from integration.ledger.ledger import Ledger
from integration.ledger.memory import Memory
from integration.ledger.record import read_memory, record_entity
from integration.ledger.status import EventStatus, State
from integration.tables import Entity

_PROBLEMS: Final = (State.WAITING, State.DEAD_LETTERED)


@dataclass(slots=True)
class Rebuilt:
    """How much has been checked and written again so far."""

    notes: int = 0
    records: int = 0
    dead_letters: int = 0
    events: int = 0
    problems: int = 0
    removed: int = 0


class Rebuild:
    """Goes over the whole ledger, which may be in use meanwhile. Raises `Outage` if the tables are unavailable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._done = Rebuilt()

    async def run(self, report: Callable[[Rebuilt], None] = lambda done: None) -> Rebuilt:  # noqa: ARG005 -- says nothing
        """Do all of it; `report` is called after each page with the counts so far."""
        await self._carry_over()
        async for page in self._ledger.table(keys.RECORDS).pages():
            await each(self._show_dead_letters, [entity for entity in page if "memory" in entity])
            report(self._done)
        for month in [*await self._ledger.months(), keys.NO_MONTH]:
            async for page in self._ledger.table(keys.events_table(month)).pages():
                await self._index(month, await each(self._settled, page))
                report(self._done)
        async for page in self._ledger.table(keys.PROBLEMS).pages():
            self._done.removed += sum(await each(self._remove_unless_true, page))
            report(self._done)
        await self._ledger.status.drain()
        return self._done

    async def _carry_over(self) -> None:
        if self._ledger.old_layout is None:
            return
        async for session_id, memory in self._ledger.old_layout.notes():
            await self._ledger.table(keys.RECORDS).insert_new(record_entity(session_id, memory, ""))
            await self._ledger.old_layout.forget(session_id)
            self._done.notes += 1

    async def _show_dead_letters(self, entity: Entity) -> None:
        self._done.records += 1
        memory, session_id = read_memory(entity), str(entity["RowKey"])
        for event_id in memory.dead_letters:
            row = _row_of_dead_letter(session_id, event_id, memory)
            table = self._ledger.table(keys.events_table(keys.month_of(event_id)))
            self._done.dead_letters += await table.insert_new(row)

    async def _settled(self, row: Entity) -> EventStatus:
        """The event as it is now: if its row shows no end, its record decides."""
        self._done.events += 1
        status = rows.to_status(row)
        if not status.state.final:
            status = await self._ledger.read(status.event_id) or status
        return status

    async def _index(self, month: str, statuses: Sequence[EventStatus]) -> None:
        named = [it for it in statuses if it.correlation_id]
        await self._ledger.table(keys.index_table(month)).merge_all(
            [row for it in named for row in rows.index_rows(it)]
        )
        problems = [it for it in statuses if it.state in _PROBLEMS]
        self._done.problems += len(problems)
        await self._ledger.table(keys.PROBLEMS).merge_all([rows.problem_row(it, _since(it)) for it in problems])

    async def _remove_unless_true(self, problem: Entity) -> bool:
        partition, row = str(problem["PartitionKey"]), str(problem["RowKey"])
        state = partition.rpartition(".")[0]
        if state not in _PROBLEMS:
            return False
        status = await self._ledger.read(row)
        if status is None or status.state == state:
            return False
        return await self._ledger.table(keys.PROBLEMS).delete(partition, row)


def _since(status: EventStatus) -> str:
    first = status.history[0]["at"] if status.history else None
    return str(first) if first else iso(status.changed_time or status.accepted_time)


def _row_of_dead_letter(session_id: str, event_id: str, memory: Memory) -> Entity:
    table, _, record_id = session_id.partition(":")
    minute = event_id.partition("-")[0]
    known = datetime.strptime(minute, "%Y%m%d%H%M").replace(tzinfo=UTC) if minute.isdigit() else rows.UNKNOWN_TIME
    bare = EventStatus(event_id, "", "", table, record_id, "", State.ACCEPTED, known)
    return {
        **(rows.from_memory(bare, memory) or {}),
        "schema": rows.SCHEMA,
        "table": table,
        "recordId": record_id,
        "acceptedTime": iso(known),
    }
