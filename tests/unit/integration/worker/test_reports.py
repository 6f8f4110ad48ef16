"""What is reported of an event that has ended, and what becomes of that while the hub is away."""

import asyncio
import dataclasses
import json
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.errors import Outage
from integration.ledger import DeadLetter, Memory, State
from integration.messaging import EventPublisher
from integration.transport import RetryPolicy
from integration.worker.copies import Copies
from integration.worker.hub import Hub
from integration.worker.reports import Reports
from integration.worker.settled import encoded, published_answers, settled_document
from tests.builders import event
from tests.memory_table import CountingHandler, HubStub, ManualClock, QueueStub

AT = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


@dataclasses.dataclass
class Parts:
    """Reports and all around them."""

    clock: ManualClock = dataclasses.field(default_factory=ManualClock)
    hub: HubStub = dataclasses.field(default_factory=HubStub)
    queue: QueueStub = dataclasses.field(default_factory=QueueStub)

    @property
    def reports(self) -> Reports:
        copies = Copies(self.queue, RetryPolicy(), self.clock, draw=lambda: 0.5)
        return Reports(Hub(self.hub, self.clock), copies, self.clock)


@pytest.fixture
def parts() -> Parts:
    return Parts()


def test_the_document_about_a_settled_event_is_a_cloudevent() -> None:
    """Identifiers, times and answers, and no column values. Consumers rely on every name in it."""
    it = dataclasses.replace(
        event(),
        changed_columns=("name",),
        values={"name": "Jane Doe"},
        traceparent="00-trace",
        tracestate="rojo=1",
        attempt=3,
        replay_of="e0",
    )
    document = settled_document(it, State.DEAD_LETTERED, at=AT, reason="erp-rejected", effects={"order": {"n": 1}})

    assert json.loads(encoded(document)) == {
        "specversion": "1.0",
        "id": it.event_id,
        "source": "/organizations/org",
        "type": "integration.settled",
        "subject": it.session_id,
        "time": "2026-11-20T20:00:00+00:00",
        "datacontenttype": "application/json",
        "correlationid": it.correlation_id,
        "traceparent": "00-trace",
        "tracestate": "rojo=1",
        "data": {
            "eventId": it.event_id,
            "correlationId": it.correlation_id,
            "organisation": "org",
            "table": "opportunity",
            "recordId": it.record_id,
            "message": "Update",
            "changedColumns": ["name"],
            "state": "dead-lettered",
            "reason": "erp-rejected",
            "attempts": 3,
            "replayOf": "e0",
            "operationTime": "2026-11-20T19:05:00+00:00",
            "acceptedTime": "2026-11-20T19:05:01+00:00",
            "settledTime": "2026-11-20T20:00:00+00:00",
            "effects": {"order": {"n": 1}},
        },
    }


def test_a_document_has_no_trace_where_the_event_has_none_and_letters_as_they_are() -> None:
    document = settled_document(dataclasses.replace(event(), table="größe"), State.COMPLETED, at=AT)

    assert "traceparent" not in document
    assert document["data"]["effects"] == {}
    assert "größe".encode() in encoded(document)
    assert b", " not in encoded(document)


def test_analytics_gets_what_a_handler_declares_of_what_this_event_has_done() -> None:
    """Not what another event did, nor what nobody knows the end of, nor what is not declared."""
    it, memory = event(), Memory()
    for name, by in (("order", it.event_id), ("score", "another"), ("open", it.event_id)):
        memory.start(name, "f", event_id=by, at="t")
    for name in ("order", "score"):
        memory.finish(name, memory.effect(name).number, "f", {"number": "1", "secret": "x"}, at="t", detail="")

    declared = {"order": ("number",), "score": ("number",), "open": ("number",)}
    assert published_answers(memory, it, declared) == {"order": {"number": "1"}}
    assert published_answers(memory, it, {}) == {"order": {}}


async def test_what_is_published_is_known_to_be(parts: Parts) -> None:
    it, reports = event(), parts.reports
    assert not reports.is_published(it.event_id)
    assert await reports.publish(it, parts_handler(), State.COMPLETED, None)

    assert reports.is_published(it.event_id)
    (body,) = parts.hub.published
    assert json.loads(body)["data"]["settledTime"] == parts.clock.time.isoformat()
    assert parts.queue.scheduled == []


async def test_only_the_latest_events_are_known_to_be_published(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs for weeks must not grow with them."""
    monkeypatch.setattr("integration.worker.reports._KEPT", 2)
    reports, events = parts.reports, [event() for _ in range(3)]
    for it in events:
        await reports.publish(it, None, State.COMPLETED, None)

    assert [reports.is_published(it.event_id) for it in events] == [False, True, True]


async def test_an_event_that_nobody_handles_is_published_without_answers(parts: Parts) -> None:
    """And one whose record could not be read."""
    assert await parts.reports.publish(event(), None, State.NO_HANDLER, Memory())
    assert await parts.reports.publish(event(), parts_handler(), State.COMPLETED, None)

    assert [json.loads(body)["data"]["effects"] for body in parts.hub.published] == [{}, {}]


async def test_what_the_hub_does_not_take_goes_into_the_queue_until_it_does(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy carries the document, waits as long as the hub is left alone, and is not taken for a failing event."""
    it = dataclasses.replace(event(), first_failed_at=AT)
    reports = parts.reports
    parts.hub.away = True
    assert not await reports.publish(it, None, State.COMPLETED, None)
    ((copy, due),) = parts.queue.scheduled
    assert copy.settled is not None
    assert copy.settled["data"]["state"] == "completed"
    assert copy.first_failed_at is None
    assert due >= parts.clock.time + timedelta(seconds=10)
    assert json.loads(caplog.records[0].getMessage())["what"] == "not-published"

    assert not await reports.publish_again(copy)
    assert parts.queue.scheduled[1][0].settled == copy.settled
    parts.hub.away = False
    parts.clock.advance(30)
    assert await reports.publish_again(copy)
    assert [json.loads(body) for body in parts.hub.published] == [copy.settled]


LETTER = DeadLetter("erp-rejected", "the ERP refuses it", AT.isoformat())


async def test_a_dead_letter_is_marked_and_published_once_each(parts: Parts) -> None:
    handler = parts_handler()
    assert await parts.reports.dead_letter(event(), handler, LETTER, Memory()) == (("row", "hub"), None, 7)

    again = dataclasses.replace(LETTER, reported=("row", "hub"))
    assert await parts.reports.dead_letter(event(), handler, again, Memory()) == (("row", "hub"), None, 0)
    assert handler.marked == ["erp-rejected"]
    (body,) = parts.hub.published
    assert json.loads(body)["data"]["reason"] == "erp-rejected"


async def test_a_row_that_a_later_event_has_brought_through_is_not_marked(parts: Parts) -> None:
    """People would see a failure that is over."""
    it, handler, memory = event(), parts_handler(), Memory()
    memory.act("later", it.operation_time + timedelta(seconds=1), 2)

    assert await parts.reports.dead_letter(it, handler, LETTER, memory) == (("hub",), None, 0)
    assert handler.marked == []


async def test_who_is_away_is_notified_later_the_other_at_once(parts: Parts) -> None:
    handler = parts_handler()
    handler.mark_error = Outage("dataverse is away", reason="dataverse-unreachable")
    assert await parts.reports.dead_letter(event(), handler, LETTER, Memory()) == (("hub",), handler.mark_error, 0)

    handler.mark_error, parts.hub.away = None, True
    where, late, _ = await parts.reports.dead_letter(event(), handler, LETTER, Memory())
    assert where == ("row",)
    assert late is not None
    assert late.reason == "hub-unavailable"


async def test_a_row_that_cannot_be_marked_at_all_is_logged_and_let_be(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    """The event is dead-lettered all the same; also one that nobody handles."""
    handler = parts_handler()
    handler.mark_error = ValueError("a defect")
    assert await parts.reports.dead_letter(event(), handler, LETTER, Memory()) == (("row", "hub"), None, 0)
    assert [json.loads(record.getMessage())["what"] for record in caplog.records] == ["not-reported"]
    assert await parts.reports.dead_letter(event(), None, LETTER, Memory()) == (("row", "hub"), None, 0)


def parts_handler() -> CountingHandler:
    return CountingHandler()


class Slow(EventPublisher):
    """A hub that acknowledges when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Mapping[str, Any]]] = []
        self.futures: list[Future[None]] = []

    def publish(self, key: str, body: bytes, *, content_type: str = "") -> "Future[None]":
        self.sent.append((key, json.loads(body)))
        self.futures.append(Future())
        return self.futures[-1]


async def test_a_hub_that_does_not_answer_is_left_alone_then_asked_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one event probes, the others go on without waiting."""
    monkeypatch.setattr("integration.worker.hub._SECONDS", 0.01)
    clock, slow, it = ManualClock(), Slow(), event()
    hub = Hub(slow, clock)
    assert hub.pause == 0.0
    assert not await hub.send(it, {"id": 1})
    assert slow.sent == [(it.session_id, {"id": 1})]
    assert hub.pause == 10.0

    clock.advance(9.0)
    assert not await hub.send(it, {"id": 2})
    assert len(slow.sent) == 1
    clock.advance(1.5)
    monkeypatch.setattr("integration.worker.hub._SECONDS", 5.0)
    probe = asyncio.create_task(hub.send(it, {"id": 3}))
    await asyncio.sleep(0)
    assert not await hub.send(it, {"id": 4})
    assert len(slow.sent) == 2
    slow.futures[-1].set_result(None)
    assert await probe

    assert hub.pause == 0.0
    ready = asyncio.create_task(hub.send(it, {"id": 5}))
    await asyncio.sleep(0)
    slow.futures[-1].set_result(None)
    assert await ready
