"""What the ledger deletes once a night, so that nothing in it grows for ever.

| what                                                         | when                                                |
|--------------------------------------------------------------|-----------------------------------------------------|
| tables of a month: events, indexes, events without a record  | the month is older than the retention               |
| problems: events that wait or are dead-lettered              | the month of the event is older than the retention  |
| unreadable messages, which have no month                     | they came before the oldest month that is kept      |
| notes about causes                                           | they were written before that month                 |
| records                                                      | their row was found deleted before that month       |
| tables of the audit of a month                               | the month is older than the audit's own retention   |
| tables of requests and answers of a day                      | the day is older than their own retention, in days  |

Records of rows that exist are kept: they decide, and are one small entity each.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from integration.batching import each
from integration.clock import Clock
from integration.ledger import keys
from integration.ledger.ledger import Ledger
from integration.tables import Entity, PreconditionFailed, Table
from integration.telemetry import get_logger

_RUN_SECONDS: Final = 200.0
"""Less than the functionTimeout of host.json; the rest is done the next night."""
_log = get_logger(__name__)


@dataclass(slots=True)
class Forgotten:
    """How much one run has removed; `finished` is False if its time ran out before everything was checked."""

    tables: int = 0
    problems: int = 0
    events: int = 0
    records: int = 0
    notes: int = 0
    finished: bool = True


class Retention:
    """Removes what is more than `months` full months old. Raises `Outage` if the tables are unavailable.

    `audit_months` is the same for what people did; it is never less than `months`. `exchange_days` is how many days
    requests and answers of failed attempts are kept, besides the present one.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        *,
        months: int,
        audit_months: int,
        exchange_days: int,
        run_seconds: float = _RUN_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._months = months
        self._audit_months = max(months, audit_months)
        self._exchange_days = exchange_days
        self._run_seconds = run_seconds

    async def run(self) -> Forgotten:
        """Remove what is old, page by page, until everything is done or the time has run out."""
        oldest = keys.month_at(self._clock.now(), back=self._months)
        until = self._clock.monotonic() + self._run_seconds
        forgotten = Forgotten()
        forgotten.tables = await self._drop_tables(oldest)
        limit = f"{oldest[:4]}-{oldest[4:]}"
        unreadable = f"RowKey ge 'unreadable' and since lt '{limit}'"
        problems = self._pages(keys.PROBLEMS, f"RowKey lt '{oldest}' or ({unreadable})", until, forgotten)
        async for table, page in problems:
            forgotten.problems += await self._delete(table, page)
        messages = self._pages(keys.events_table(keys.NO_MONTH), f"acceptedTime lt '{limit}'", until, forgotten)
        async for table, page in messages:
            forgotten.events += await self._delete(table, page)
        async for table, page in self._pages(keys.CAUSES, f"at lt '{limit}'", until, forgotten):
            forgotten.notes += await self._delete(table, page)
        deleted = f"deleted gt '' and deleted lt '{oldest}'"
        async for table, page in self._pages(keys.RECORDS, deleted, until, forgotten):
            forgotten.records += await self._delete(table, page, where_deleted_before=oldest)
        if forgotten.finished:
            _log.info("retention-finished")
        else:
            _log.warning("retention-unfinished")
        return forgotten

    async def _drop_tables(self, oldest: str) -> int:
        now = self._clock.now().astimezone(UTC)
        oldest_audit = keys.month_at(now, back=self._audit_months)
        oldest_day = f"{now - timedelta(days=self._exchange_days):%Y%m%d}"

        def is_old(name: str) -> bool:
            if day := keys.day_of_exchanges(name):
                return day < oldest_day
            found = keys.month_of_table(name)
            kept_from = oldest_audit if found and found[0] == keys.AUDIT_PREFIX else oldest
            return found is not None and keys.NO_MONTH < found[1] < kept_from

        old = [name for name in await self._ledger.names() if is_old(name)]
        for name in old:
            await self._ledger.table(name).drop()
            _log.info("retention-dropped", table=name)
        return len(old)

    async def _pages(
        self, name: str, where: str, until: float, forgotten: Forgotten
    ) -> AsyncIterator[tuple[Table, list[Entity]]]:
        """The entities of a table to be removed, page by page, while there is time."""
        table = self._ledger.table(name)
        async for page in table.pages(where, select=["PartitionKey", "RowKey"], top=500):
            if page:
                yield table, page
                _log.info("retention-removed", table=name, count=len(page))
            if self._clock.monotonic() > until:
                forgotten.finished = False
                return

    async def _delete(self, table: Table, page: Sequence[Entity], *, where_deleted_before: str = "") -> int:
        async def delete(entity: Entity) -> bool:
            key = str(entity["PartitionKey"]), str(entity["RowKey"])
            if where_deleted_before:
                return await _delete_record(table, key, where_deleted_before)
            return await table.delete(*key)

        return sum(await each(delete, page))


async def _delete_record(table: Table, key: tuple[str, str], before: str) -> bool:
    """Delete a record's entity, unless its row exists again meanwhile (somebody restored it)."""
    found = await table.get(*key)
    if found is None or not "" < str(found.entity.get("deleted", "")) < before:
        return False
    try:
        return await table.delete(*key, etag=found.etag)
    except PreconditionFailed:
        return False
