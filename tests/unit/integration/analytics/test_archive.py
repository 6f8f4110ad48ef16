"""What the archive writes: a file per batch, a line per event, whatever came."""

import asyncio
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.analytics.row import Row
from integration.analytics.sink import UNREADABLE, Receipt
from integration.analytics.sinks.archive import ArchiveSink
from tests.memory_container import MemoryContainer

AT = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


def row(number: int, body: bytes, at: datetime = AT) -> Row:
    return Row.read("3", number, at, body)


def write(container: MemoryContainer, *rows: Row) -> Receipt:
    return asyncio.run(ArchiveSink(container).write(rows))


def lines(container: MemoryContainer) -> list[dict[str, Any]]:
    (content,) = container.blobs.values()
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def test_a_file_is_named_after_the_day_the_partition_and_the_first_and_last_event_of_its_batch() -> None:
    """Names sort in the order of the hub, and say whether one is missing between them."""
    container = MemoryContainer()
    write(container, row(1234, b"{}"), row(1235, b"{}", datetime(2026, 11, 21, 0, 1, tzinfo=UTC)))

    assert list(container.blobs) == ["date=2026-11-20/partition-3-00000000000000001234-00000000000000001235.jsonl.gz"]
    assert container.content_types == ["application/gzip"]


def test_each_event_is_a_line_that_says_where_it_stood() -> None:
    """A reader drops by (partition, sequenceNumber) what it has seen; what the event says of it does not count."""
    container = MemoryContainer()
    write(container, row(7, b'{"id":"a","partition":"9"}'), row(8, b'{"id":"b"}'))

    assert lines(container) == [
        {"id": "a", "partition": "3", "sequenceNumber": 7},
        {"id": "b", "partition": "3", "sequenceNumber": 8},
    ]


@pytest.mark.parametrize("body", [b"no json", b"[1]", b'"text"', b"[" * 100_000, "größe".encode("latin-1")])
def test_what_is_no_event_is_kept_as_it_came_and_named(body: bytes) -> None:
    """A sink loses nothing and judges nothing; somebody has to know of it all the same."""
    container = MemoryContainer()
    receipt = write(container, row(7, body))

    (line,) = lines(container)
    assert line == {"partition": "3", "sequenceNumber": 7, "unreadable": body.decode("utf-8", "replace")}
    assert [it.reason for it in receipt.refused] == [UNREADABLE]


def test_a_batch_that_comes_again_overwrites_its_own_file() -> None:
    """With the very same bytes."""
    container = MemoryContainer()
    write(container, row(7, b"{}"))
    before = dict(container.blobs)
    write(container, row(7, b"{}"))

    assert container.blobs == before


def test_the_container_is_made_once_unless_it_is_there() -> None:
    container = MemoryContainer(exists=True)
    sink = ArchiveSink(container)
    for number in (1, 2):
        asyncio.run(sink.write([row(number, b"{}")]))

    assert (container.connected, container.made, len(container.blobs)) == (1, 1, 2)


def test_storage_that_is_away_has_the_rows_wait() -> None:
    """Also when it is away at the very first connection."""
    receipt = write(MemoryContainer(away=True), row(1, b"{}"))
    assert [it.sequence_number for it in receipt.waiting] == [1]
    assert receipt.error is not None
    assert receipt.error.reason == "archive-unavailable"
