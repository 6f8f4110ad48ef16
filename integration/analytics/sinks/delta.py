"""The Delta sink: settled events appended to a Delta table, in OneLake or in Blob Storage; each of them once.

Each commit has, beside its rows, how far the partition of the hub has got with it: as actions `txn` of the Delta
protocol ("Transaction Identifiers"), which are written with the rows or not at all. One has the sequence number of the
last row, one the enqueued time of the newest. They are read before a commit, and rows that the table has by them are
left out. So a batch that comes again adds nothing, and one that overlaps with a commit adds what is behind it. Two who
write the same partition at the same time, after it has moved to another instance, or a commit whose answer was lost and
that is repeated: the second one fails for its `txn`, and begins anew.

A hub that was made anew counts from zero. Its rows have lower sequence numbers than the table knows, but are enqueued
later: rows are only left out if both their number and their time are known. A row that was set aside, and is sent again
later, has an identifier of its own.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from integration.analytics.arrow import microseconds, record_batch
from integration.analytics.columns import table_row
from integration.analytics.delta_table import SERVICE, OpenTable
from integration.analytics.portions import Portions
from integration.analytics.row import Row, encoded
from integration.analytics.sink import Receipt

MOST_BYTES: Final = 4_000_000
"""Of the rows of one commit, as JSON: they are in memory as a whole."""
Values = Mapping[str, Any]
Selected = tuple[Sequence[Values], list[Transaction]]
"""Rows of a batch that the table lacks, and what their commit says of it."""
Select = Callable[[DeltaTable, Sequence[Values]], Selected]


class DeltaSink:
    """Appends to one table. `hub` names the hub for good, with its namespace: several may be written to one table."""

    name = SERVICE

    def __init__(self, table: OpenTable, *, hub: str, most_bytes: int = MOST_BYTES) -> None:
        self._table = table
        self._hub = hub
        self._most_bytes = most_bytes

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Commit by commit; the rows of those that fail wait."""
        select = _late if rows[0].was_set_aside else _behind
        post = partial(self._post, partial(select, f"{self._hub}/{rows[0].partition}"))
        return await Portions(_encoded, post, self._most_bytes).write(rows)

    async def _post(self, select: Select, rows: Sequence[bytes]) -> None:
        await asyncio.to_thread(self._append, select, [json.loads(it) for it in rows])

    def _append(self, select: Select, rows: Sequence[Values]) -> None:
        with self._table.newest() as table:
            new, reached = select(table, rows)
            if new:
                write_deltalake(
                    table,
                    record_batch(new),
                    mode="append",
                    schema_mode="merge",  # a table of an older app gets the columns that it lacks
                    commit_properties=CommitProperties(app_transactions=reached),
                )


def _behind(partition: str, table: DeltaTable, rows: Sequence[Values]) -> Selected:
    """Rows behind what the table has of the partition; the last number and the newest time with them."""
    number, time = f"{partition}/sequence-number", f"{partition}/enqueued-time"
    last, newest = _version(table, number), _version(table, time)
    new = [it for it in rows if it["SequenceNumber"] > last or _enqueued(it) > newest]
    if not new:
        return [], []
    return new, [Transaction(number, new[-1]["SequenceNumber"]), Transaction(time, max(newest, *map(_enqueued, new)))]


def _late(partition: str, table: DeltaTable, rows: Sequence[Values]) -> Selected:
    """Rows that the table lacks among what it has of the partition; the time of each is the version for its number."""
    late = {f"{partition}/set-aside/{it['SequenceNumber']}": it for it in rows}
    new = {application: it for application, it in late.items() if _version(table, application) != _enqueued(it)}
    return [*new.values()], [Transaction(application, _enqueued(it)) for application, it in new.items()]


def _version(table: DeltaTable, application: str) -> int:
    version = table.transaction_version(application)
    return -1 if version is None else version


def _enqueued(row: Values) -> int:
    return microseconds(row["EnqueuedTime"])


def _encoded(row: Row) -> bytes:
    return encoded(table_row(row))
