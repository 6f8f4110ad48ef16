"""Tables that do not exist yet, that are dropped, and what is refused before it is sent."""

import asyncio

import pytest

from integration.tables import Account, Table, TableRejected
from integration.transport import Transport

REFUSED_KEYS = ["a/b", "a\\b", "a#b", "a?b", "line\nbreak", "\x7f", "x" * 513]


async def test_a_missing_table_reads_as_empty(ours: Table) -> None:
    """Nobody has to make it before it is needed."""
    assert await ours.get("p", "1") is None
    assert (await ours.page("PartitionKey eq 'p'")).entities == []
    assert [it async for it in ours.query()] == []
    assert not await ours.delete("p", "1")


@pytest.mark.parametrize("kind", ["insert", "merge", "replace", "merge_all"])
async def test_a_missing_table_is_made_by_the_first_write(ours: Table, kind: str) -> None:
    """Whichever write that is, and also when many come at once."""
    rows = [{"PartitionKey": "p", "RowKey": f"{n}"} for n in range(5)]
    if kind == "merge_all":
        await ours.merge_all(rows)
    elif kind == "replace":
        await asyncio.gather(*(ours.replace(row, etag=None) for row in rows))
    else:
        await asyncio.gather(*(getattr(ours, kind)(row) for row in rows))
    assert len((await ours.page(None)).entities) == 5


async def test_a_dropped_table_is_empty_again(ours: Table, account: Account, transport: Transport) -> None:
    """Dropping it twice, or one that never was, does no harm; what is written afterwards makes it anew."""
    await ours.merge({"PartitionKey": "p", "RowKey": "1"})
    assert ours.name in await account.tables(transport)
    await ours.drop()
    await ours.drop()
    assert ours.name not in await account.tables(transport)
    assert await ours.get("p", "1") is None
    await ours.merge({"PartitionKey": "p", "RowKey": "2"})
    assert [it["RowKey"] for it in (await ours.page(None)).entities] == ["2"]


@pytest.mark.parametrize("key", REFUSED_KEYS)
async def test_a_key_that_tables_does_not_take_is_refused_at_once(ours: Table, key: str) -> None:
    """Azure answers it with a page of its web server, which would pass for an outage and be tried for ever."""
    with pytest.raises(TableRejected):
        await ours.get(key, "1")
    for entity in ({"PartitionKey": key, "RowKey": "1"}, {"PartitionKey": "p", "RowKey": key}):
        with pytest.raises(TableRejected):
            await ours.insert(entity)
        with pytest.raises(TableRejected):
            await ours.merge(entity)
        with pytest.raises(TableRejected):
            await ours.merge_all([entity, {"PartitionKey": "p", "RowKey": "1"}])


@pytest.mark.parametrize("value", [1.5, 2**31, None, ["a"], b"x"])
async def test_a_value_of_another_kind_is_a_defect_of_the_caller(ours: Table, value: object) -> None:
    """What would need a type annotation is not stored: times and large numbers are text."""
    with pytest.raises(ValueError, match="property odd"):
        await ours.merge({"PartitionKey": "p", "RowKey": "1", "odd": value})  # type: ignore[dict-item]  # on purpose


async def test_the_first_so_many_are_read_over_pages(ours: Table) -> None:
    """No more than asked for, fewer where there are fewer."""
    await ours.merge_all([{"PartitionKey": "p", "RowKey": f"{n:04}"} for n in range(1_050)])
    assert len(await ours.first("PartitionKey eq 'p'", 1_020)) == 1_020
    assert len(await ours.first("PartitionKey eq 'p'", 5_000)) == 1_050
    assert [it["RowKey"] for it in await ours.first("PartitionKey eq 'p'", 2)] == ["0000", "0001"]
