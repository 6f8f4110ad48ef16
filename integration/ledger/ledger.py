"""The ledger in Azure Tables: records' entities, which decide, and rows of events, which people look at."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from integration.batching import Batcher, each, persistently
from integration.clock import Clock, iso
from integration.errors import IntegrationError, Outage
from integration.events import IntegrationEvent
from integration.events.contents import without_contents
from integration.ledger import keys, rows
from integration.ledger.exchanges import Exchange, Exchanges
from integration.ledger.legacy import OldLayout
from integration.ledger.record import Record
from integration.ledger.status import EventStatus, State
from integration.ledger.writer import StatusWriter
from integration.tables import Account, Entity, Table
from integration.telemetry import get_logger
from integration.transport import Transport

_LOST_AFTER: Final = timedelta(seconds=10)
"""Rows are written within a second: one that is still missing after this time was lost."""
_LINGER_SECONDS: Final = 0.2
_MOST_WAITING: Final = 20_000
_log = get_logger(__name__)


class Ledger:
    """Opens records, records accepted events, and reads and writes the rows of events.

    Raises `Outage` if the tables are unavailable. What these tables do not have is looked for in `old_layout`, the
    tables of the previous release.
    """

    def __init__(
        self, account: Account, transport: Transport, clock: Clock, *, old_layout: OldLayout | None = None
    ) -> None:
        self._clock = clock
        self.old_layout = old_layout
        self._account = account
        self._transport = transport
        self._tables: dict[str, Table] = {}
        self._accepted: Batcher[IntegrationEvent] = Batcher(self._write_accepted, linger=_LINGER_SECONDS)
        self._unwritten: dict[str, IntegrationEvent] = {}
        self.status = StatusWriter(self.table)
        self.exchanges = Exchanges(self.table)

    def table(self, name: str) -> Table:
        """A table of the ledger by name."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = Table(self._account, self._transport, name)
        return table

    async def record(self, session_id: str, *, guest: bool = False) -> Record:
        """Read what is remembered of a record, with one point read. `guest`: on behalf of another record's event."""
        table = self.table(keys.records_table(session_id))
        found = await table.get(*keys.record_keys(session_id))
        before = await self.old_layout.memory(session_id) if found is None and self.old_layout else None
        return Record(table, session_id, found, guest=guest, before=before)

    def accept(self, event: IntegrationEvent, *, urgent: bool = False) -> "asyncio.Future[None]":
        """Write down soon that `event` was accepted; a redelivery, or one the worker already has, changes nothing.

        What is returned resolves when that is written; nobody has to wait for it. Where the tables are away it is
        tried for ten minutes, unless too much waits: the worker writes it as well, when it takes the event up. An
        `urgent` one does not wait for others to be written with it.
        """
        if self._accepted.waiting < _MOST_WAITING:
            kept = without_contents(event)  # thousands may wait, and what they carry stands in no row
            self._unwritten[event.event_id] = kept
            return self._accepted.submit(kept, urgent=urgent)
        _log.warning("ledger-behind", event=event)
        behind = asyncio.get_running_loop().create_future()
        behind.set_exception(Outage("too much waits to be written", reason="ledger-unavailable", service="ledger"))
        behind.exception()  # nobody has to ask for it
        return behind

    async def read(self, event_id: str) -> EventStatus | None:
        """The status of one event, or None if it is not known; one point read.

        If the row has long said that the event is under way although the record says that it has ended, then the final
        row was lost with the process that was to write it, and it is written now. The same holds for a dead-lettered
        event for which a later one has made up.
        """
        found = await self.table(keys.events_table(keys.month_of(event_id))).get(*keys.event_keys(event_id))
        unwritten = self._unwritten.get(event_id)  # who has its 202 may ask at once
        row = found.entity if found else rows.event_row(unwritten) if unwritten else None
        status = rows.to_status(row) if row else None
        if status is None or status.accepted_time == rows.UNKNOWN_TIME:
            return await self._from_old_layout(event_id, status)
        age = self._clock.now() - (status.changed_time or status.accepted_time)
        if age <= _LOST_AFTER or not status.table:
            return status
        if not status.state.final:
            return await self._rebuilt(status)
        if status.state in {State.DEAD_LETTERED, State.RESUBMITTED}:
            return await self._resolved(status)
        return status

    async def exchanges_of(self, event_id: str) -> list[Exchange]:
        """What was sent and what came back at attempts of the event that failed, as long as it is kept."""
        return await self.exchanges.of_event(event_id, await self.names())

    async def months(self) -> list[str]:
        """The months (`yyyyMM`) of which the ledger has events, newest first."""
        found = [keys.month_of_table(name) for name in await self.names()]
        months = {it[1] for it in found if it is not None and it[0] == keys.EVENTS_PREFIX}
        return sorted(months - {keys.NO_MONTH}, reverse=True)

    async def names(self) -> list[str]:
        """The names of all tables of the storage account."""
        return await self._account.tables(self._transport)

    async def ping(self) -> None:
        """Check that the tables can be reached; raises `Outage` otherwise."""
        await self.table(keys.RECORDS).get("ping", "ping")

    async def close(self) -> None:
        """Write what is waiting to be written."""
        await self._accepted.drain()
        await self.status.drain()
        await self.exchanges.drain()

    async def _from_old_layout(self, event_id: str, newer: EventStatus | None) -> EventStatus | None:
        """An event that these tables do not know, or know only the end of."""
        status = await self.old_layout.read(event_id) if self.old_layout else None
        if status is None or newer is None:
            return status or newer
        return replace(status, state=newer.state, resolved_by=newer.resolved_by, replayed_by=newer.replayed_by)

    async def _rebuilt(self, status: EventStatus) -> EventStatus:
        record = await self.record(status.session_id)
        row = rows.from_memory(status, record.memory)
        if row is None:
            return status
        self.status.clear_problem(State.WAITING.value, status.event_id)
        table = self.table(keys.events_table(keys.month_of(status.event_id)))
        await table.merge(row)
        found = await table.get(*keys.event_keys(status.event_id))
        if found is None:
            return status
        status = rows.to_status(found.entity)
        if status.state is State.DEAD_LETTERED:
            self.status.put_problem(rows.problem_row(status, iso(status.changed_time or self._clock.now())))
        return status

    async def _resolved(self, status: EventStatus) -> EventStatus:
        by = await self._later_event(status)
        if by is None:
            return status
        self.status.clear_problem(State.DEAD_LETTERED.value, status.event_id)
        now = self._clock.now()
        await self.table(keys.events_table(keys.month_of(status.event_id))).merge(
            rows.resolved(status.event_id, by=by, now=now)
        )
        return replace(status, state=State.RESOLVED, resolved_by=by, changed_time=now)

    async def _later_event(self, status: EventStatus) -> str | None:
        """The id of the event that has made up for a dead-lettered one; None as long as there is none."""
        if status.state is State.DEAD_LETTERED:
            return (await self.record(status.session_id)).memory.resolved_by(status.event_id)
        again = await self.read(status.replayed_by) if status.replayed_by else None
        if again is None:
            return None
        return again.event_id if again.state.settled else again.resolved_by

    async def _write_accepted(self, events: Sequence[IntegrationEvent]) -> None:
        indexes: dict[str, list[Entity]] = {}
        for event in events:
            indexes.setdefault(keys.index_table(keys.month_of(event.event_id)), []).extend(rows.index_rows(event))

        async def write() -> None:
            await asyncio.gather(
                each(lambda it: self._events_table(it).insert_new(rows.event_row(it)), events),
                *(self.table(name).merge_all(index) for name, index in indexes.items()),
            )

        try:
            await persistently(write, asyncio.sleep)
        except IntegrationError as error:
            _log.warning("ledger-behind", error=error, count=len(events))
            raise
        finally:
            for event in events:
                self._unwritten.pop(event.event_id, None)

    def _events_table(self, event: IntegrationEvent) -> Table:
        return self.table(keys.events_table(keys.month_of(event.event_id)))
