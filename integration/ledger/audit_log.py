"""The audit: who did what, and why. Entries are only ever added, in two rows: one before it is done, one after.

The table of a month (`audit<yyyyMM>`) has each row once for each way in which it is looked for, so that every list is
one query of one partition, newest first:

| partition           | the entries                          |
|---------------------|--------------------------------------|
| `all`               | of the month                         |
| `who.<hash>`        | of one person or caller              |
| `event.<event id>`  | about one event                      |
| `bulk.<bulk id>`    | of one bulk operation                |

An entry without its second row is of a process that ended in between: whether it was done is not known then. Rows hold
ids, names, counts and what people wrote as their reason, never the values of columns: they outlive all else. Writes
through virtual tables are the exception: they show the values of columns that are not about a person.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from integration.clock import Clock, iso
from integration.ledger import keys, rows
from integration.ledger.ledger import Ledger
from integration.tables import Entity
from integration.tables.entity import Property

LISTED: Final = 100
_END: Final = ".end"
_LATEST: Final = 10**16
"""Row keys count down in microseconds, because tables are read in ascending order."""


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """An entry whose outcome is not known yet: where its rows are."""

    month: str
    row: str
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first, each with the columns of both of its rows; `following` continues, None at the end."""

    entries: list[Entity] = field(default_factory=list)
    following: str | None = None


class AuditLog:
    """Adds and lists entries. Raises `Outage` if the tables are unavailable."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def start(self, what: str, *, who: str, why: str, about: Mapping[str, Property]) -> OpenEntry:
        """Write down what is about to be done; `about` are its columns, of which `eventId` and `bulkId` are ways in."""
        now = self._clock.now()
        partitions = ["all", who_partition(who)]
        partitions += [f"{name}.{about[column]}" for name, column in _WAYS.items() if about.get(column)]
        opened = OpenEntry(keys.month_at(now), f"{_countdown(now)}.{secrets.token_hex(4)}", tuple(partitions))
        row: Entity = {"schema": rows.SCHEMA, "what": what, "who": who, "why": why, "time": iso(now), **about}
        await self._add(opened, opened.row, row)
        return opened

    async def end(self, opened: OpenEntry, outcome: str, more: Mapping[str, Property] = {}) -> None:
        """Write down the outcome."""
        ended: Entity = {"schema": rows.SCHEMA, "outcome": outcome, "endedTime": iso(self._clock.now()), **more}
        await self._add(opened, opened.row + _END, ended)

    async def page(self, month: str, partition: str = "all", *, following: str | None = None) -> AuditPage:
        """Entries of one partition of a month (`yyyyMM`), from behind the row key `following`."""
        table = self._ledger.table(keys.audit_table(month))
        where = f"PartitionKey eq '{partition}'" + (f" and RowKey gt '{following}{_END}'" if following else "")
        found = await table.first(where, 2 * LISTED)
        entries = _joined(found)
        more = len(found) == 2 * LISTED or len(entries) > LISTED
        entries = entries[:LISTED]
        if entries and entries[-1]["RowKey"] == found[-1]["RowKey"]:  # its second row may come later
            end = await table.get(partition, f"{entries[-1]['RowKey']}{_END}")
            entries[-1] = {**(end.entity if end else {}), **entries[-1]}
        return AuditPage(entries, str(entries[-1]["RowKey"]) if more and entries else None)

    async def about_event(self, event_id: str) -> list[Entity]:
        """The entries about one event, newest first, 100 at most a month."""
        return await self._of_months(keys.month_of(event_id), f"event.{event_id}")

    async def _of_months(self, first: str, partition: str) -> list[Entity]:
        """From the month `first` to the present one; an unreadable message has no month, and all are looked at."""
        names = [keys.month_of_table(name) for name in await self._ledger.names()]
        months = sorted((it[1] for it in names if it and it[0] == keys.AUDIT_PREFIX and it[1] >= first), reverse=True)
        pages = await asyncio.gather(*(self.page(month, partition) for month in months))
        return [entry for page in pages for entry in page.entries]

    async def _add(self, opened: OpenEntry, row: str, columns: Entity) -> None:
        table = self._ledger.table(keys.audit_table(opened.month))
        copies = ({**columns, "PartitionKey": partition, "RowKey": row} for partition in opened.partitions)
        await asyncio.gather(*(table.insert_new(copy) for copy in copies))


def who_partition(who: str) -> str:
    """The partition of what one person or caller did; hashed, because keys do not accept every character."""
    return f"who.{keys.hashed(who, 16)}"


def _countdown(moment: datetime) -> str:
    return f"{_LATEST - int(moment.timestamp() * 1_000_000):016}"


def _joined(found: Sequence[Entity]) -> list[Entity]:
    """Each first row with the second one, which lies behind it."""
    ends = {str(row["RowKey"]).removesuffix(_END): row for row in found if str(row["RowKey"]).endswith(_END)}
    return [{**ends.get(str(row["RowKey"]), {}), **row} for row in found if not str(row["RowKey"]).endswith(_END)]


_WAYS: Final = {"event": "eventId", "bulk": "bulkId"}
