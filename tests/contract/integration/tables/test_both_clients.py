"""What `integration.tables` promises of a table, held against Microsoft's SDK on Azurite."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty

from integration.tables import EntityExists, PreconditionFailed, Table, TableRejected
from tests.contract.integration.tables.conftest import AnyTable
from tests.contract.integration.tables.sdk_table import SdkTable

KEYS = [
    "plain",
    "it's quoted''twice",
    "50%",
    "100%25",
    "a b+c&d=e;f,g@h(i)",
    "account:6c35bb13-6a4d-4c9f-8d0b-2e6a5d4c3b2a",
    "Zürich 東京 😀",
    "~",
    "x" * 512,
]


def row(key: str, partition: str = "p", **values: str | int | bool) -> dict[str, str | int | bool]:
    return {"PartitionKey": partition, "RowKey": key, **values}


@pytest.mark.parametrize("key", KEYS)
async def test_any_key_that_tables_takes_is_written_read_found_and_deleted(table: AnyTable, key: str) -> None:
    """Quotes, percent signs, spaces, unicode, length: as partition key and as row key."""
    await table.insert(row(key, key, text=key))
    found = await table.get(key, key)
    assert found is not None
    assert found.entity == row(key, key, text=key)
    await table.merge(row(key, key, more=1))
    quoted = key.replace("'", "''")
    page = await table.page(f"PartitionKey eq '{quoted}' and RowKey eq '{quoted}' and text eq '{quoted}'")
    assert page.entities == [row(key, key, text=key, more=1)]
    assert await table.delete(key, key)
    assert await table.get(key, key) is None


async def test_an_entity_is_inserted_once(table: AnyTable) -> None:
    """The second insertion is refused because it exists, and changes nothing."""
    await table.insert(row("1", text="first"))
    with pytest.raises(EntityExists):
        await table.insert(row("1", text="second"))
    assert not await table.insert_new(row("1", text="third"))
    assert await table.insert_new(row("2"))
    found = await table.get("p", "1")
    assert found is not None
    assert found.entity["text"] == "first"


async def test_a_merge_keeps_what_it_does_not_name(table: AnyTable) -> None:
    """And makes the entity where there is none."""
    await table.merge(row("1", text="a", number=1, flag=True))
    await table.merge(row("1", number=-(2**31) + 1, flag=False, more=""))
    found = await table.get("p", "1")
    assert found is not None
    assert found.entity == row("1", text="a", number=-(2**31) + 1, flag=False, more="")


async def test_a_replacement_keeps_nothing_and_needs_the_version_that_was_read(table: AnyTable) -> None:
    """Whoever holds an older ETag has lost the race, and the entity stays as the winner has written it."""
    first = await table.insert(row("1", text="a", other="b"))
    second = await table.replace(row("1", text="c"), etag=first)
    assert second != first
    with pytest.raises(PreconditionFailed):
        await table.replace(row("1", text="late"), etag=first)
    found = await table.get("p", "1")
    assert found is not None
    assert (found.entity, found.etag) == (row("1", text="c"), second)
    await table.replace(row("1", text="d"), etag=None)
    assert (await table.get("p", "1")) != found


async def test_of_many_who_race_one_wins(table: AnyTable) -> None:
    """If-Match lets exactly one write through for each version."""
    etag = await table.insert(row("1", winner=-1))

    async def try_it(number: int) -> int:
        try:
            await table.replace(row("1", winner=number), etag=etag)
        except PreconditionFailed:
            return -1
        return number

    outcomes = await asyncio.gather(*(try_it(number) for number in range(8)))
    (winner,) = [it for it in outcomes if it >= 0]
    found = await table.get("p", "1")
    assert found is not None
    assert found.entity["winner"] == winner


async def test_replacing_what_was_deleted_is_refused(table: AnyTable) -> None:
    """A version that does not exist any more is no version: nothing is made anew by it."""
    etag = await table.insert(row("1"))
    await table.delete("p", "1")
    with pytest.raises(PreconditionFailed):
        await table.replace(row("1"), etag=etag)
    assert await table.get("p", "1") is None


async def test_deleting_says_whether_there_was_anything(table: AnyTable) -> None:
    """And an ETag protects what was changed since it was read."""
    etag = await table.insert(row("1"))
    await table.merge(row("1", text="changed"))
    with pytest.raises(PreconditionFailed):
        await table.delete("p", "1", etag=etag)
    assert await table.delete("p", "1")
    assert not await table.delete("p", "1")


async def test_a_query_filters_and_selects(table: AnyTable) -> None:
    """By key ranges and by properties; of a selection only what was named comes back."""
    await table.merge_all([row(f"{n:02}", state="odd" if n % 2 else "even", number=n) for n in range(20)])
    page = await table.page("PartitionKey eq 'p' and RowKey ge '05' and RowKey lt '10' and state eq 'odd'")
    assert [it["number"] for it in page.entities] == [5, 7, 9]
    page = await table.page("number gt 17", select=["RowKey", "state"])
    assert page.entities == [{"RowKey": "18", "state": "even"}, {"RowKey": "19", "state": "odd"}]
    assert (await table.page("PartitionKey eq 'elsewhere'")).entities == []


async def test_pages_follow_each_other_until_the_end(table: AnyTable) -> None:
    """Continuation tokens carry keys of any form; nothing comes twice, nothing is missed."""
    keys = [f"{n:04} it's 50% 東京" for n in range(23)]
    await table.merge_all([row(key, "p'é%", text="x") for key in keys])
    await table.merge_all([row(key, "q", text="x") for key in keys])
    found: Counter[tuple[str, str]] = Counter()
    sizes, following = [], None
    while True:
        page = await table.page("text eq 'x'", top=10, following=following)
        sizes.append(len(page.entities))
        found.update((str(it["PartitionKey"]), str(it["RowKey"])) for it in page.entities)
        following = page.following
        if following is None:
            break
    assert max(sizes) == 10
    assert found == Counter((partition, key) for partition in ("p'é%", "q") for key in keys)


async def test_many_entities_go_in_transactions_of_a_hundred(table: AnyTable) -> None:
    """Of several partitions, more than one transaction takes, in any order; merged like single ones."""
    await table.merge(row("007", "p1", kept="yes"))
    rows = [row(f"{n:03}", f"p{n % 3}", number=n, text="it's \r\n--batch {…} 東京") for n in range(350)]
    await table.merge_all(rows)
    for partition in range(3):
        page = await table.page(f"PartitionKey eq 'p{partition}'")
        assert [it["number"] for it in page.entities] == [n for n in range(350) if n % 3 == partition]
    found = await table.get("p0", "003")
    assert found is not None
    assert found.entity == row("003", "p0", number=3, text="it's \r\n--batch {…} 東京")
    kept = await table.get("p1", "007")
    assert kept is not None
    assert kept.entity["kept"] == "yes"


async def test_a_transaction_is_done_in_whole_or_not_at_all(table: AnyTable) -> None:
    """One entity that is refused keeps out the 99 beside it, and that is no outage."""
    rows = [row(f"{n:03}", text="x") for n in range(99)]
    too_large = row("bad", text="x" * 40_000)
    with pytest.raises(TableRejected):
        await table.merge_all([*rows[:50], too_large, *rows[50:]])
    assert (await table.page("PartitionKey eq 'p'")).entities == []


async def test_what_one_client_writes_the_other_reads(ours: Table, sdk: SdkTable) -> None:
    """Text, numbers, booleans; ETags are the same as well."""
    whole = row("1", "it's", text="é", number=7, flag=True, empty="")
    await ours.insert(whole)
    await sdk.insert(whole | {"RowKey": "2"})
    for key in ("1", "2"):
        by_ours, by_sdk = await ours.get("it's", key), await sdk.get("it's", key)
        assert by_ours is not None
        assert by_sdk is not None
        assert by_ours == by_sdk
        await ours.replace(whole | {"RowKey": key, "number": 8}, etag=by_sdk.etag)
        with pytest.raises(PreconditionFailed):
            await sdk.replace(whole | {"RowKey": key, "number": 9}, etag=by_sdk.etag)


async def test_values_that_only_the_sdk_writes_are_read_without_harm(ours: Table, sdk: SdkTable) -> None:
    """Times come as ISO 8601, 64-bit numbers and bytes as text, fractions exact; a merge leaves them as they are."""
    moment = datetime(2026, 11, 20, 19, 5, 1, 123456, tzinfo=UTC)
    typed = {"when": moment, "large": EntityProperty(2**40, EdmType.INT64), "share": 0.1, "raw": b"\x00\xff"}
    await sdk.insert(row("1") | typed | {"TimestampOfOurs": "kept"})
    found = await ours.get("p", "1")
    assert found is not None
    assert found.entity["large"] == str(2**40)
    assert datetime.fromisoformat(str(found.entity["when"])) == moment
    assert found.entity["share"] == Decimal("0.1")
    assert found.entity["TimestampOfOurs"] == "kept"
    assert (await ours.page(f"large eq {2**40}L and when eq datetime'2026-11-20T19:05:01.123456Z'")).entities
    await ours.merge(row("1", more="x"))
    again = await sdk.get("p", "1")
    assert again is not None
    kept: dict[str, Any] = {**again.entity}
    assert (kept["when"], kept["large"], kept["raw"]) == (moment, EntityProperty(2**40, EdmType.INT64), b"\x00\xff")
