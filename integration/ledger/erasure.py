"""Erases everything that the ledger has about one record, and keeps an audit row of it.

It reads every table in full, so that nothing is missed, whichever version wrote it; that is slow, but rare. The
entry in the audit has a hash in place of the record: if you know the record, you can show that it was erased, but the
entry alone does not reveal which record it was.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

from integration.batching import each
from integration.clock import Clock
from integration.errors import IntegrationError
from integration.ledger import keys, rows
from integration.ledger.audit_log import AuditLog
from integration.ledger.ledger import Ledger
from integration.ledger.status import EventStatus
from integration.tables import Entity, quoted
from integration.telemetry import get_logger

OUT_OF_REACH: Final = """\
The ledger cannot erase what is stored elsewhere:
  - the event hub: its events expire by themselves (retention of the hub)
  - the archive: the blobs that name the record are listed here
  - other sinks, where they are switched on: the lake, the Delta table, the table in Log Analytics, Fabric, Event Grid,
    and the container set-aside have rows with the record's id
  - the dead-letter queue and the work queue: messages about the record expire or are completed
  - Application Insights: log lines with the record's id, until the workspace's retention removes them
  - what its events carried: for seven days more the storage account can bring back a blob that was removed
  - copies of the ledger: the daily ones, until they are 35 days old, and files that were exported earlier
  - details of other records' events that name this record, for example as the customer of an order (requests and
    answers of their failed attempts are erased where they name it)
  - Dataverse, the ERP, credit scoring: each has its own way"""
_LONGEST_WAY: Final = timedelta(days=60)
"""Far longer than any event is tried."""
_log = get_logger(__name__)


EraseContents: TypeAlias = Callable[[str], Awaitable[int]]
"""Removes what is kept for the events of a session beside their messages; returns how many blobs that were."""


class RecordUnderWayError(IntegrationError):
    """An event of the record has not ended and would write the erased data again."""

    reason = "record-under-way"


@dataclass(slots=True)
class Found:
    """What the ledger has about a record; `days` are those on which the archive may have lines about it."""

    record: bool = False
    events: list[EventStatus] = field(default_factory=list)
    days: list[str] = field(default_factory=list)

    @property
    def under_way(self) -> list[str]:
        """The ids of events that have not ended."""
        return [it.event_id for it in self.events if not it.state.final]


@dataclass(frozen=True, slots=True)
class Erased:
    """How many entities were removed of each kind; `old` are rows of the layout before this one.

    `contents` are blobs: what events carry beside their messages.
    """

    records: int = 0
    events: int = 0
    indexes: int = 0
    problems: int = 0
    references: int = 0
    exchanges: int = 0
    contents: int = 0
    old: int = 0


class Erasure:
    """Finds and erases what there is about a record. Raises `Outage` if tables or blobs are unavailable."""

    def __init__(self, ledger: Ledger, clock: Clock, *, erase_contents: EraseContents) -> None:
        self._ledger = ledger
        self._erase_contents = erase_contents
        self._audit = AuditLog(ledger, clock)

    async def find(self, table: str, record_id: str) -> Found:
        """What there is about the record; erases nothing."""
        session_id = f"{table}:{record_id}"
        remembered = await self._ledger.table(keys.RECORDS).get(*keys.record_keys(session_id))
        found = Found(record=remembered is not None)
        async for _, entity in self._about(keys.EVENTS_PREFIX, table, record_id):
            status = rows.to_status(entity)
            if not status.state.final:  # the event's row may have been lost; the record has it
                status = await self._ledger.read(status.event_id) or status
            found.events.append(status)
        found.days = sorted({day for status in found.events for day in _days(status)})
        return found

    async def erase(self, table: str, record_id: str, *, by: str, reason: str, force: bool = False) -> Erased:
        """Erase everything, and note in the audit who did it, why, and how much it was.

        Raises `RecordUnderWayError` if an event of the record has not ended, unless `force`. An erasure that was
        interrupted is completed by starting it again; the entry of the interrupted one stays without an
        outcome.
        """
        found = await self.find(table, record_id)
        if found.under_way and not force:
            raise RecordUnderWayError(
                f"{len(found.under_way)} event(s) of the record have not ended, such as {found.under_way[0]}: wait for "
                "them, or discard them first"
            )
        about: Entity = {"table": table, "record": keys.hashed(f"{table}:{record_id}", 32)}
        opened = await self._audit.start("erase", who=by, why=reason, about=about)
        erased = Erased(
            records=int(await self._ledger.table(keys.RECORDS).delete(*keys.record_keys(f"{table}:{record_id}"))),
            problems=await self._delete_about(keys.PROBLEMS, table, record_id),
            references=await self._delete_references(record_id),
            exchanges=await self._delete_exchanges(table, record_id),
            contents=await self._erase_contents(f"{table}:{record_id}"),
            indexes=await self._delete_indexes(found.events)
            + await self._delete_about(keys.INDEX_PREFIX, table, record_id),
            events=await self._delete_about(keys.EVENTS_PREFIX, table, record_id),
            old=await self._ledger.old_layout.erase(table, record_id) if self._ledger.old_layout else 0,
        )
        await self._audit.end(opened, "done", asdict(erased))
        _log.warning("erased", table=table, caller=by, count=sum(asdict(erased).values()))
        return erased

    async def _about(self, prefix: str, table: str, record_id: str) -> AsyncIterator[tuple[str, Entity]]:
        """All entities that name the record, in all tables of one kind."""
        where = f"recordId eq '{quoted(record_id)}' and table eq '{quoted(table)}'"
        for name in await self._ledger.names():
            month = keys.month_of_table(name)
            if name == prefix or (month is not None and month[0] == prefix):
                async for entity in self._ledger.table(name).query(where):
                    yield name, entity

    async def _delete_about(self, prefix: str, table: str, record_id: str) -> int:
        found = [it async for it in self._about(prefix, table, record_id)]
        return await self._delete([(name, str(it["PartitionKey"]), str(it["RowKey"])) for name, it in found])

    async def _delete_references(self, record_id: str) -> int:
        """What is remembered of the record's customers and orders elsewhere: their partition ends with its id."""
        end = f".{record_id.lower()}"
        found = [it async for it in self._ledger.table(keys.REFERENCES).query("")]
        ours = [it for it in found if str(it["PartitionKey"]).endswith(end)]
        return await self._delete([(keys.REFERENCES, str(it["PartitionKey"]), str(it["RowKey"])) for it in ours])

    async def _delete_exchanges(self, table: str, record_id: str) -> int:
        """Requests and answers of its events, and those of other records' events in which its id stands."""
        own, sought = (table, record_id), record_id.lower()
        found = [
            (name, str(it["PartitionKey"]), str(it["RowKey"]))
            for name in await self._ledger.names()
            if keys.day_of_exchanges(name)
            async for it in self._ledger.table(name).query()
            if own == (it["table"], it["recordId"])
            or any(sought in str(it[column]).lower() for column in ("url", "sent", "received"))
        ]
        return await self._delete(found)

    async def _delete_indexes(self, events: list[EventStatus]) -> int:
        """Index entries under a correlation id; they do not name the record."""
        return await self._delete(
            [
                (keys.index_table(keys.month_of(it.event_id)), *keys.correlation_keys(it.correlation_id, it.event_id))
                for it in events
            ]
        )

    async def _delete(self, entities: list[tuple[str, str, str]]) -> int:
        async def delete(entity: tuple[str, str, str]) -> bool:
            name, partition, row = entity
            return await self._ledger.table(name).delete(partition, row)

        return sum(await each(delete, entities))


def _days(status: EventStatus) -> list[str]:
    """The days whose folders in the archive may have lines about an event: from its acceptance to its publication.

    A file is in the folder of the day of its first line, which may be from another event on the evening before.
    """
    last = max(filter(None, [status.published_time, status.changed_time, status.accepted_time]))
    first = max(status.accepted_time, last - _LONGEST_WAY)
    days = range(-1, (last.date() - first.date()).days + 2)
    return [f"{first + timedelta(days=number):%Y-%m-%d}" for number in days]
