"""Finds events for people: by correlation id, by record, or by time."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from integration.ledger import keys, rows
from integration.ledger.ledger import Ledger
from integration.ledger.status import EventStatus
from integration.tables import quoted

LISTED: Final = 100
_HOURS: Final = 49
_MOST_OF_AN_HOUR: Final = 80_000


class Queries:
    """Reads lists from the ledger; raises `Outage` if the tables are unavailable.

    Each list reads a bounded number of partitions (one for an hour, one a month for a record or a correlation id),
    however many events there are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def by_correlation(self, correlation_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        """The events that share a correlation id, oldest first, 100 at most."""
        partition, row = keys.correlation_keys(correlation_id, "")
        where = f"PartitionKey eq '{partition}' and RowKey ge '{row}' and RowKey lt '{row}~'"
        found = await asyncio.gather(
            *(
                self._ledger.table(keys.index_table(month)).first(where, LISTED, select=["eventId"])
                for month in await self._months(months)
            )
        )
        ids = {str(it["eventId"]) for entities in found for it in entities}
        if self._ledger.old_layout:
            ids.update(await self._ledger.old_layout.by_correlation(correlation_id, LISTED))
        return await self.read_all(sorted(ids)[:LISTED])

    async def by_record(self, table: str, record_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        """The events of one record, newest first, 100 at most a month."""
        partition, _ = keys.record_keys(f"{table}:{record_id}")
        where = f"PartitionKey eq '{partition}' and recordId eq '{quoted(record_id)}' and table eq '{quoted(table)}'"
        found = await asyncio.gather(
            *(self._ledger.table(keys.events_table(month)).first(where, LISTED) for month in await self._months(months))
        )
        statuses = [rows.to_status(it) for entities in found for it in entities]
        return sorted(statuses, key=lambda status: status.event_id, reverse=True)

    async def by_time(self, start: datetime, end: datetime, *, most: int = LISTED) -> list[EventStatus]:
        """The events whose operation was between the minute of `start` and `end`, newest first; 48 hours at most."""
        return await self.read_all(await self.ids_by_time(start, end, most=most))

    async def ids_by_time(self, start: datetime, end: datetime, *, most: int, before: str = "") -> list[str]:
        """The ids of these events; only those smaller than `before`, if that is given."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        first, last = minutes(start, end)
        if before:
            last = min(last, before)
            end = min(end, datetime.strptime(before[:12], "%Y%m%d%H%M").replace(tzinfo=UTC))
        hour, ids = end.replace(minute=0, second=0, microsecond=0), list[str]()
        for _ in range(_HOURS):
            ids += await self._ids_of_hour(hour, first, last)
            if len(ids) >= most or hour <= start:
                break
            hour -= timedelta(hours=1)
        return sorted(ids, reverse=True)[:most]

    async def read_all(self, event_ids: Sequence[str]) -> list[EventStatus]:
        """The statuses of these events, in their order; those that are not known are left out."""
        found = await asyncio.gather(*(self._ledger.read(event_id) for event_id in event_ids))
        return [status for status in found if status is not None]

    async def _ids_of_hour(self, hour: datetime, first: str, last: str) -> list[str]:
        where = f"PartitionKey eq '{keys.time_partition(hour)}' and RowKey ge '{first}' and RowKey lt '{last}'"
        found = await self._ledger.table(keys.index_table(f"{hour:%Y%m}")).first(
            where, _MOST_OF_AN_HOUR, select=["eventId"]
        )
        return [str(it["eventId"]) for it in found]

    async def _months(self, months: Iterable[str] | None) -> list[str]:
        return list(months) if months is not None else await self._ledger.months()


def minutes(start: datetime | None, end: datetime | None) -> tuple[str, str]:
    """What ids of events between two times begin with: from the first minute up to the second; empty is open."""
    up_to = end.astimezone(UTC) + timedelta(seconds=59, microseconds=999_999) if end else None
    return (
        f"{start.astimezone(UTC):%Y%m%d%H%M}" if start else "",
        f"{up_to:%Y%m%d%H%M}" if up_to else "",
    )
