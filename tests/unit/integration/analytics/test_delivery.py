"""How batches are kept at until every row is written or set aside."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.analytics.delivery import MOST_SECONDS, Delivery
from integration.analytics.row import Row
from integration.analytics.set_aside import SetAside
from integration.analytics.sink import REFUSED, Receipt, Refused
from integration.errors import Outage, Throttled, Transient
from integration.transport import RetryPolicy
from integration.worker.settled import encoded
from tests.memory_container import MemoryContainer
from tests.memory_table import ManualClock


class Sink:
    """Answers each call in turn as `answers` say, and takes everything afterwards."""

    name = "lake"

    def __init__(self, *answers: Callable[[Sequence[Row]], Receipt]) -> None:
        self._answers = list(answers)
        self.given: list[list[int]] = []

    async def write(self, rows: Sequence[Row]) -> Receipt:
        self.given.append([row.sequence_number for row in rows])
        return self._answers.pop(0)(rows) if self._answers else Receipt()


def after(number: int, error: Transient) -> Callable[[Sequence[Row]], Receipt]:
    """Rows from this number on wait."""
    return lambda rows: Receipt(waiting=tuple(row for row in rows if row.sequence_number >= number), error=error)


def refusing(*numbers: int) -> Callable[[Sequence[Row]], Receipt]:
    return lambda rows: Receipt(
        tuple(Refused(row, REFUSED, "It is not liked.") for row in rows if row.sequence_number in numbers)
    )


AWAY = Outage("nobody is there", reason="lake-unavailable")


class World:
    """A delivery with a clock that its pauses move."""

    def __init__(self, sink: Sink, container: MemoryContainer | None = None) -> None:
        self.sink = sink
        self.clock = ManualClock()
        self.container = container or MemoryContainer()
        self.pauses: list[float] = []
        self.delivery = Delivery(
            sink,
            SetAside(self.container),
            policy=RetryPolicy(timedelta(seconds=4), timedelta(seconds=60)),
            clock=self.clock,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.sleep(seconds)

    async def deliver(self, *numbers: int, **data: Any) -> None:
        await self.delivery.deliver([self.row(number, **data) for number in numbers])

    def row(self, number: int, **data: Any) -> Row:
        at = self.clock.now() - timedelta(seconds=90)
        return Row.read("2", number, at, encoded({"id": f"e-{number}", "data": {"state": "completed", **data}}))


def said(caplog: pytest.LogCaptureFixture, what: str) -> list[dict[str, Any]]:
    lines = [json.loads(record.getMessage()) for record in caplog.records]
    return [line for line in lines if line["what"] == what]


async def test_what_was_written_is_reported_with_how_long_it_had_waited(caplog: pytest.LogCaptureFixture) -> None:
    """From which the alert about sinks that are behind is made."""
    caplog.set_level(logging.INFO)
    await World(Sink()).deliver(5, 6)
    [line] = said(caplog, "sink-wrote")
    assert line == {
        "what": "sink-wrote",
        "sink": "lake",
        "count": 2,
        "partition": "2",
        "sequenceNumber": 5,
        "durationMs": 90_000.0,
    }


async def test_only_rows_that_wait_are_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """With the pauses of the retry policy, and each wait is reported with its age."""
    world = World(Sink(after(3, AWAY), after(4, AWAY)))
    await world.deliver(1, 2, 3, 4)
    assert world.sink.given == [[1, 2, 3, 4], [3, 4], [4]]
    assert [pause <= bound for pause, bound in zip(world.pauses, (4, 8), strict=True)] == [True, True]
    assert [(line["count"], line["reason"], line["sink"]) for line in said(caplog, "sink-waits")] == [
        (2, "lake-unavailable", "lake"),
        (1, "lake-unavailable", "lake"),
    ]


async def test_a_pause_that_the_target_asks_for_is_kept() -> None:
    world = World(Sink(after(0, Throttled("slowly", retry_after=30.0))))
    await world.deliver(1)
    assert 30 <= world.pauses[0] <= 34


async def test_a_long_outage_ends_the_execution_so_that_the_batch_comes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Before the Functions host would end it; what was written meanwhile is not written again in this execution."""
    world = World(Sink(*[after(2, AWAY)] * 200))
    with pytest.raises(Outage):
        await world.deliver(1, 2)
    assert MOST_SECONDS - 60 <= sum(world.pauses) <= MOST_SECONDS
    assert world.sink.given[0] == [1, 2]
    assert {tuple(it) for it in world.sink.given[1:]} == {(2,)}


async def test_a_row_that_is_refused_is_set_aside_once_and_those_behind_it_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error in the log, and a file that says what it was and why; the batch that comes again makes no other one."""
    world = World(Sink(refusing(2), refusing(2)))
    await world.deliver(1, 2, 3)
    before = dict(world.container.blobs)
    await world.deliver(1, 2, 3)

    [(name, content)] = world.container.blobs.items()
    day = world.clock.now().astimezone(UTC)
    assert name == f"lake/date={day:%Y-%m-%d}/partition-2-{2:020d}.json"
    assert before.keys() == world.container.blobs.keys()
    kept = json.loads(content)
    assert (kept["sink"], kept["reason"], kept["detail"]) == ("lake", REFUSED, "It is not liked.")
    assert json.loads(kept["body"])["id"] == "e-2"
    assert [(line["eventId"], line["reason"], line["blob"]) for line in said(caplog, "sink-set-aside")] == [
        ("e-2", REFUSED, name)
    ] * 2


async def test_a_row_that_cannot_be_set_aside_is_not_passed_over() -> None:
    """While storage is away, the batch comes again: a row that is nowhere would be lost."""
    world = World(Sink(refusing(1)), MemoryContainer(away=True))
    with pytest.raises(Transient) as raised:
        await world.deliver(1)
    assert raised.value.reason == "set-aside-unavailable"


async def test_bytes_that_are_no_text_are_kept_too() -> None:
    world = World(Sink(refusing(1)))
    await world.delivery.deliver([Row.read("2", 1, datetime(2026, 11, 20, tzinfo=UTC), b"\xff\x00")])
    [content] = world.container.blobs.values()
    assert json.loads(content)["base64"] == "/wA="


async def test_a_new_column_is_a_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    """By its name, never its value; the rows are written."""
    world = World(Sink())
    await world.deliver(1, 2, priority="high")
    await world.deliver(3, priority="low", region="EU")
    assert [line["columns"] for line in said(caplog, "sink-new-columns")] == [["data.priority"], ["data.region"]]
    assert "high" not in caplog.text
    assert world.sink.given == [[1, 2], [3]]


async def test_rows_that_were_cut_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    await World(Sink(lambda rows: Receipt(cut=(rows[0],)))).deliver(1, 2)
    assert [(line["sink"], line["count"]) for line in said(caplog, "sink-cut")] == [("lake", 1)]
