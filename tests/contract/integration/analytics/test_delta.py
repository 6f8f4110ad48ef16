"""What only the Delta sink promises: the table has each row once, and no reader has to drop any."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from arro3.core import Array, DataType, Table
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from deltalake import DeltaTable, write_deltalake

from integration.analytics.delta_table import OpenTable, options_of
from integration.analytics.row import Row
from integration.analytics.sink import Receipt
from integration.analytics.sinks import delta as delta_module
from integration.analytics.sinks.delta import DeltaSink
from integration.errors import Outage
from integration.worker.settled import encoded
from tests.contract.integration.analytics.cut_line import CutLine
from tests.contract.integration.analytics.targets import Delta
from tests.delta import read_delta

AT = datetime(2026, 11, 20, tzinfo=UTC)


def rows(first: int, last: int, partition: str = "3", life: int = 0) -> list[Row]:
    """Those of these numbers, a second apart. A hub of another `life` was made anew, some hours later."""
    at = AT + timedelta(hours=6 * life)
    bodies = {it: encoded({"id": f"{life}-{it}", "data": {"state": "completed"}}) for it in range(first, last + 1)}
    return [Row.read(partition, it, at + timedelta(seconds=it), body) for it, body in bodies.items()]


def options_at(connection_string: str) -> dict[str, str]:
    with BlobServiceClient.from_connection_string(connection_string) as account:
        return options_of(account)


def numbers_of(receipt: Receipt) -> list[int]:
    return [it.sequence_number for it in receipt.waiting]


def ids(kept: Sequence[Any]) -> list[str]:
    return [it["EventId"] for it in kept]


def expected(first: int, last: int, life: int = 0) -> list[str]:
    return [f"{life}-{it}" for it in range(first, last + 1)]


async def test_a_batch_that_overlaps_with_a_commit_adds_what_is_behind_it(delta: Delta) -> None:
    """As after a crash, or when a partition moves to another instance, which knows nothing of the first one."""
    assert await delta.sink.write(rows(0, 9)) == Receipt()
    assert await delta.another().write(rows(5, 12)) == Receipt()
    assert ids(await delta.kept()) == expected(0, 12)

    version = DeltaTable(delta.place).version()
    assert await delta.sink.write(rows(0, 12)) == Receipt()
    assert DeltaTable(delta.place).version() == version, "nothing new, so there is no commit"


async def test_of_two_who_write_a_partition_at_the_same_time_one_begins_anew(
    delta: Delta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits between the moment at which this one has read how far it has got, and its own commit."""
    await delta.sink.write(rows(0, 4))

    def meanwhile(*given: Any, **more: Any) -> None:
        monkeypatch.undo()
        asyncio.run(delta.another().write(rows(5, 9)))
        write_deltalake(*given, **more)

    monkeypatch.setattr(delta_module, "write_deltalake", meanwhile)
    receipt = await delta.sink.write(rows(5, 12))
    assert isinstance(receipt.error, Outage)
    assert await delta.sink.write(receipt.waiting) == Receipt()
    assert ids(await delta.kept()) == expected(0, 12)


async def test_others_who_write_meanwhile_stop_nobody(delta: Delta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another partition, and another hub with partitions and numbers of the same names."""
    await delta.sink.write(rows(0, 4))

    def meanwhile(*given: Any, **more: Any) -> None:
        monkeypatch.undo()
        asyncio.run(delta.another().write(rows(0, 4, partition="2")))
        asyncio.run(delta.another(hub="another").write(rows(0, 4)))
        write_deltalake(*given, **more)

    monkeypatch.setattr(delta_module, "write_deltalake", meanwhile)
    assert await delta.sink.write(rows(5, 9)) == Receipt()
    assert len(await delta.kept()) == 20


async def test_a_hub_that_was_made_anew_is_written_from_its_beginning(delta: Delta) -> None:
    """Its numbers begin again. They would be known for a long time, and their rows left out; their times are not."""
    await delta.sink.write(rows(0, 20))
    assert await delta.sink.write(rows(0, 4, life=1)) == Receipt()
    assert await delta.another().write(rows(3, 8, life=1)) == Receipt()
    assert await delta.sink.write(rows(3, 8, life=1)) == Receipt()
    assert sorted(ids(await delta.kept())) == sorted([*expected(0, 20), *expected(0, 8, life=1)])


async def test_a_clock_of_the_hub_that_goes_back_loses_nothing_and_doubles_nothing(delta: Delta) -> None:
    """After a failover of the hub, an event may be enqueued at a time before that of the one in front of it."""
    early = [Row.read("3", it.sequence_number, AT - timedelta(minutes=1), it.body) for it in rows(5, 9)]
    for batch in (rows(0, 4), early, rows(0, 4), early):
        assert await delta.sink.write(batch) == Receipt()
    assert sorted(ids(await delta.kept())) == sorted(expected(0, 9))


async def test_the_table_may_have_other_columns(delta: Delta) -> None:
    """One of an older version of the app lacks some, and gets them; those of others stay, and are empty."""
    texts = DataType.utf8()
    write_deltalake(delta.place, Table.from_pydict({n: Array(["x"], type=texts) for n in ("EventId", "Ours")}))
    assert await delta.sink.write(rows(0, 0)) == Receipt()
    assert [(it["EventId"], it["Ours"], it["SequenceNumber"]) for it in await delta.kept()] == [
        ("0-0", None, 0),
        ("x", "x", None),
    ]


async def test_a_table_that_does_not_fit_is_waited_for_with_what_is_wrong(delta: Delta) -> None:
    write_deltalake(delta.place, Table.from_pydict({"State": Array([True], type=DataType.bool())}))
    receipt = await delta.sink.write(rows(0, 3))
    assert numbers_of(receipt) == [0, 1, 2, 3]
    assert "cast" in str(receipt.error).lower()


@pytest.fixture
def line(storage: str) -> Iterator[CutLine]:
    """A line to Azurite."""
    with CutLine(storage) as line:
        yield line


async def test_in_blob_storage_each_row_is_there_once_though_the_answer_to_a_commit_is_lost(
    storage: str, line: CutLine
) -> None:
    """The library sends the commit again and finds that there is one already: it is its own, and not to be repeated.

    Before that, the table was reached with what has expired since: the sink asks for it anew.
    """
    uri, key = f"az://delta/{uuid.uuid4()}", "azure_storage_account_key"
    with BlobServiceClient.from_connection_string(storage) as account, suppress(ResourceExistsError):
        account.create_container("delta")
    options = options_at(line.connection_string)
    keys = [options[key], "ZXhwaXJlZA==", options[key]]

    sink = DeltaSink(OpenTable(uri, lambda: {**options, key: keys.pop(0) if keys else options[key]}), hub="hub")
    assert await sink.write(rows(0, 4)) == Receipt()
    assert "necessary privileges" in str((await sink.write(rows(5, 9))).error)
    assert await sink.write(rows(5, 9)) == Receipt()

    line.lose_answer_to(b"_delta_log/00000000000000000003.json")
    receipt = await sink.write(rows(10, 14))
    assert (line.lost, numbers_of(receipt)) == (1, [10, 11, 12, 13, 14])
    DeltaTable(uri, storage_options=options).create_checkpoint()  # so that its number is read from there
    assert await sink.write(rows(8, 17)) == Receipt()
    assert ids(read_delta(uri, options_at(storage))) == expected(0, 17)
