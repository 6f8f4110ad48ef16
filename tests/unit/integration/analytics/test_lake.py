"""Parquet files of settled events: where they are, and that their schema never changes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from integration.analytics.columns import SCHEMA
from integration.analytics.row import Row
from integration.analytics.sinks.lake import LakeSink, parquet
from integration.ledger import State
from integration.worker.settled import encoded, settled_document
from tests.builders import event
from tests.memory_container import MemoryContainer
from tests.parquet import read_parquet

AT = datetime(2026, 11, 20, 23, 59, 1, 250_000, tzinfo=UTC)
EVENT = event()


def row(number: int, at: datetime = AT, **data: Any) -> Row:
    document = settled_document(EVENT, State.COMPLETED, at=at)
    return Row.read("3", number, at, encoded({**document, "data": {**document["data"], **data}}))


def written(*rows: Row) -> dict[str, bytes]:
    container = MemoryContainer()
    asyncio.run(LakeSink(container).write(rows))
    return container.blobs


def test_each_day_and_table_of_a_batch_has_a_file_named_after_its_rows() -> None:
    """Query engines leave out folders by date and table; names of tables cannot leave their folder."""
    tomorrow = AT + timedelta(minutes=2)
    found = written(
        row(7, table="account"),
        row(8, table="contact"),
        row(9, table="account"),
        row(10, tomorrow, table="account"),
        row(11, tomorrow, table="../x"),
        row(12, tomorrow, table=None),
    )
    numbers = "partition-3-{:020d}-{:020d}.parquet".format
    assert list(found) == [
        f"date=2026-11-20/table=account/{numbers(7, 9)}",
        f"date=2026-11-20/table=contact/{numbers(8, 8)}",
        f"date=2026-11-21/table=account/{numbers(10, 10)}",
        f"date=2026-11-21/table=..%2Fx/{numbers(11, 11)}",
        f"date=2026-11-21/table=none/{numbers(12, 12)}",
    ]


def test_the_same_rows_give_the_same_bytes() -> None:
    """A batch that comes again overwrites its files with what they have."""
    rows = (row(7), row(8, effects={"customer": {"number": "1"}}))
    assert written(*rows) == written(*rows)


def test_every_file_has_the_schema_whatever_its_rows_have() -> None:
    """Columns without a value and columns that are new would otherwise give files that cannot be read together."""
    usual, strange = read_parquet(parquet([row(7)])), read_parquet(parquet([row(8, attempts="many", priority=1)]))
    names = [it.name for it in SCHEMA]
    assert [list(it) for it in (*usual, *strange)] == [names, names]
    assert (usual[0]["SettledTime"], usual[0]["Attempts"]) == (AT, EVENT.attempt)
    assert (strange[0]["Attempts"], strange[0]["More"]) == (None, '{"data.priority": 1, "data.attempts": "many"}')
