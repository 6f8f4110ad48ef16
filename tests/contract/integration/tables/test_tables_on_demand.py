"""Tables that do not exist yet, that are dropped, and what is refused before it is sent."""

import asyncio

import pytest

from integration.tables import Account, Table, TableRejected
from integration.transport import Transport

REFUSED_KEYS = ["a/b", "a\\b", "a#b", "a?b", "line\nbreak", "\x7f", "x" * 513]


async def test_a_missing_table_reads_as_empty(lean: Table) -> None:
    """Nobody has to make it before it is needed."""
    assert await lean.get("p", "1") is None
    assert (await lean.page("PartitionKey eq 'p'")).entities == []
    assert [it async for it in lean.query()] == []
    assert not await lean.delete("p", "1")


@pytest.mark.parametrize("kind", ["insert", "merge", "replace", "merge_all"])
async def test_a_missing_table_is_made_by_the_first_write(lean: Table, kind: str) -> None:
    """Whichever write that is, and also when many come at once."""
    rows = [{"PartitionKey": "p", "RowKey": f"{n}"} for n in range(5)]
    if kind == "merge_all":
        await lean.merge_all(rows)
    elif kind == "replace":
        await asyncio.gather(*(lean.replace(row, etag=None) for row in rows))
    else:
        await asyncio.gather(*(getattr(lean, kind)(row) for row in rows))
    assert len((await lean.page(None)).entities) == 5


async def test_a_dropped_table_is_empty_again(lean: Table, account: Account, transport: Transport) -> None:
    """Dropping it twice, or one that never was, does no harm; what is written afterwards makes it anew."""
    await lean.merge({"PartitionKey": "p", "RowKey": "1"})
    assert lean.name in await account.tables(transport)
    await lean.drop()
    await lean.drop()
    assert lean.name not in await account.tables(transport)
    assert await lean.get("p", "1") is None
    await lean.merge({"PartitionKey": "p", "RowKey": "2"})
    assert [it["RowKey"] for it in (await lean.page(None)).entities] == ["2"]


@pytest.mark.parametrize("key", REFUSED_KEYS)
async def test_a_key_that_tables_does_not_take_is_refused_at_once(lean: Table, key: str) -> None:
    """Azure answers it with a page of its web server, which would pass for an outage and be tried for ever."""
    with pytest.raises(TableRejected):
        await lean.get(key, "1")
    for entity in ({"PartitionKey": key, "RowKey": "1"}, {"PartitionKey": "p", "RowKey": key}):
        with pytest.raises(TableRejected):
            await lean.insert(entity)
        with pytest.raises(TableRejected):
            await lean.merge(entity)
        with pytest.raises(TableRejected):
            await lean.merge_all([entity, {"PartitionKey": "p", "RowKey": "1"}])


@pytest.mark.parametrize("value", [1.5, 2**31, None, ["a"], b"x"])
async def test_a_value_of_another_kind_is_a_defect_of_the_caller(lean: Table, value: object) -> None:
    """What would need a type annotation is not stored: times and large numbers are text."""
    with pytest.raises(ValueError, match="property odd"):
        await lean.merge({"PartitionKey": "p", "RowKey": "1", "odd": value})  # type: ignore[dict-item]  # on purpose


async def test_the_first_so_many_are_read_over_pages(lean: Table) -> None:
    """No more than asked for, fewer where there are fewer."""
    await lean.merge_all([{"PartitionKey": "p", "RowKey": f"{n:04}"} for n in range(1_050)])
    assert len(await lean.first("PartitionKey eq 'p'", 1_020)) == 1_020
    assert len(await lean.first("PartitionKey eq 'p'", 5_000)) == 1_050
    assert [it["RowKey"] for it in await lean.first("PartitionKey eq 'p'", 2)] == ["0000", "0001"]
