"""What every sink has to do, whatever it writes to."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.analytics.row import Row
from integration.analytics.sink import REFUSED, TOO_LARGE, UNREADABLE, Receipt
from integration.ledger import State
from integration.worker.settled import encoded, settled_document
from tests.builders import event
from tests.contract.integration.analytics.targets import MOST_BYTES, Archive, Fabric, Lake, Target

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


def document(number: int, **data: Any) -> dict[str, Any]:
    one = replace(event(), event_id=f"event-{number}")
    made = settled_document(one, State.COMPLETED, at=one.accepted_time)
    return {**made, "data": {**made["data"], **data}}


def row(number: int, **data: Any) -> Row:
    return Row.read("3", number, AT, encoded(document(number, **data)))


def rows(count: int, start: int = 0) -> list[Row]:
    return [row(start + number) for number in range(count)]


def numbers(found: Sequence[Row]) -> list[int]:
    return [it.sequence_number for it in found]


async def ids(target: Target) -> list[Any]:
    """The events that a reader of the target finds, in order."""
    return [target.event_id(it) for it in (await target.read()).values()]


def expected(*which: int) -> list[str]:
    return [f"event-{number}" for number in which]


async def test_every_row_arrives_once_and_in_the_order_of_the_hub(target: Target) -> None:
    """More of them than fit into one request."""
    assert await target.sink.write(rows(25)) == Receipt()
    assert [target.event_id(it) for it in await target.kept()] == expected(*range(25))


async def test_a_batch_that_comes_again_changes_nothing_for_readers(target: Target) -> None:
    """Also when the rows are divided into other batches: by the rule of its readers each row is there once."""
    await target.sink.write(rows(10))
    await target.sink.write(rows(10))
    await target.sink.write(rows(8, start=4))
    assert await ids(target) == expected(*range(12))


async def test_what_is_no_settled_event_is_named_with_its_reason_and_the_rest_is_taken(target: Target) -> None:
    """Whatever its bytes are: text, other JSON, NaN, a half of a surrogate pair, nesting without end."""
    strange = [b"no json", b"[1]", b"\xff\xfe", b'{"a":NaN}', b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000]
    batch = [row(0), *(Row.read("3", n, AT, body) for n, body in enumerate(strange, 1)), row(7)]
    receipt = await target.sink.write(batch)

    assert [(it.row.sequence_number, it.reason) for it in receipt.refused] == [
        (n, UNREADABLE) for n in range(1, len(strange) + 1)
    ]
    assert (receipt.waiting, receipt.error) == ((), None)
    assert await ids(target) == expected(0, 7)


async def test_text_of_every_kind_is_carried(target: Target) -> None:
    """A lone half of a surrogate pair can be written in JSON, but not in UTF-8."""
    body = encoded(document(1)).replace(b'"reason":null', b'"reason":"gr\xc3\xb6\xc3\x9fe \\ud800"')
    assert await target.sink.write([Row.read("3", 1, AT, body)]) == Receipt()
    assert await ids(target) == expected(1)


async def test_what_is_nested_too_deeply_stops_nothing(target: Target) -> None:
    """What can be read near the limit of nesting could not be written, here or by whoever reads it later."""
    nested = {n: b'"effects":' + b"[" * n + b"]" * n for n in (90, 98, 99, 500, 900)}
    deep = [
        Row.read("3", n, AT, encoded(document(n)).replace(b'"effects":{}', effects)) for n, effects in nested.items()
    ]
    receipt = await target.sink.write([*deep, row(1001)])

    assert [(it.row.sequence_number, it.reason) for it in receipt.refused] == [(n, UNREADABLE) for n in (99, 500, 900)]
    assert receipt.waiting == ()
    assert await ids(target) == expected(90, 98, 1001)


async def test_when_the_target_goes_away_exactly_the_rows_that_it_did_not_take_wait(target: Target) -> None:
    """And when it is back, they are all that has to be written."""
    target.takes(1)
    await target.sink.write(rows(1))
    target.takes(0 if isinstance(target, Archive | Lake) else 2)
    receipt = await target.sink.write(rows(25, start=1))

    assert receipt.error is not None
    taken = await ids(target)
    assert numbers(receipt.waiting) == list(range(len(taken), 26))
    if not isinstance(target, Archive | Lake):
        assert 1 < len(taken) < 26

    target.takes(None)
    assert await target.sink.write(receipt.waiting) == Receipt()
    assert await ids(target) == expected(*range(26))


async def test_a_target_that_was_never_there_leaves_all_rows_waiting(target: Target) -> None:
    target.takes(0)
    receipt = await target.sink.write(rows(3))
    assert (numbers(receipt.waiting), receipt.refused) == ([0, 1, 2], ())
    target.takes(None)
    assert await target.sink.write(receipt.waiting) == Receipt()


@pytest.mark.parametrize("target", ["event-grid", "log-analytics"], indirect=True)
async def test_a_row_that_the_target_will_never_take_is_named_and_those_beside_it_are_taken(target: Target) -> None:
    """Storage and hubs look into no row."""
    for number in (2, 3, 17):
        target.refuses(f"event-{number}_completed" if target.sink.name == "event-grid" else f'"event-{number}"')
    receipt = await target.sink.write(rows(20))

    assert [(it.row.sequence_number, it.reason) for it in receipt.refused] == [(n, REFUSED) for n in (2, 3, 17)]
    assert receipt.waiting == ()
    assert await ids(target) == expected(*(n for n in range(20) if n not in {2, 3, 17}))


async def test_a_row_that_is_too_large_is_cut_marked_and_counted(target: Target) -> None:
    """Its identifiers and times stay, and it says itself what it lacks; a target without a limit gets it whole."""
    batch = [row(0), row(1, effects={"customer": {"number": "9" * MOST_BYTES}}), row(2)]
    receipt = await target.sink.write(batch)

    read = list((await target.read()).values())
    assert [target.event_id(it) for it in read] == expected(0, 1, 2)
    if target.limited:
        assert numbers(receipt.cut) == [1]
        assert sorted(target.field(read[1], "cut")) == ["changedColumns", "effects"]
        assert not target.field(read[1], "effects")
        assert target.field(read[1], "state") == "completed"
    else:
        assert receipt == Receipt()
        assert target.field(read[1], "effects") == {"customer": {"number": "9" * MOST_BYTES}}


async def test_a_row_that_is_too_large_even_when_it_is_cut_is_named(target: Target) -> None:
    receipt = await target.sink.write([row(0, reason="x" * MOST_BYTES), row(1)])
    if target.limited:
        assert [(it.row.sequence_number, it.reason) for it in receipt.refused] == [(0, TOO_LARGE)]
    assert (await ids(target))[-1:] == expected(1)


async def test_a_row_that_was_set_aside_reaches_the_readers_when_it_is_sent_again(target: Target) -> None:
    """Long after those behind it; and no more than once for its readers, whoever sends it again."""
    await target.sink.write([row(0), Row.read("3", 1, AT, b"no json"), row(2)])
    again = replace(row(1), was_set_aside=True)
    for _ in range(2):
        assert await target.sink.write([again]) == Receipt()
    assert sorted(await ids(target)) == expected(0, 1, 2)


async def test_a_column_that_is_new_reaches_the_readers(target: Target) -> None:
    """The schema need not change first; what one column holds of another type is not lost either."""
    batch = [row(0, priority="high"), row(1, attempts="many"), row(2)]
    assert await target.sink.write(batch) == Receipt()
    read = list((await target.read()).values())
    assert target.field(read[0], "priority") == "high"
    assert "many" in json.dumps(read[1], default=str)
    assert [target.event_id(it) for it in read] == expected(0, 1, 2)


async def test_batches_of_several_partitions_are_written_at_the_same_time(target: Target) -> None:
    """The Functions host calls for every partition that it holds."""
    other = [replace(it, partition="2") for it in rows(12, start=100)]
    receipts = await asyncio.gather(target.sink.write(rows(12)), target.sink.write(other))
    assert [*receipts] == [Receipt(), Receipt()]
    assert sorted(await ids(target)) == sorted(expected(*range(12), *range(100, 112)))
    if isinstance(target, Fabric):
        assert set(target.partitions) == {"2", "10"}  # the third and the fourth of the target, by number
