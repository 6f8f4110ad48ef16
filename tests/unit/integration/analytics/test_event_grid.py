"""The Event Grid sink: what it publishes, in which portions, and what becomes of what is not taken."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from integration.analytics.sinks import event_grid
from integration.analytics.sinks.event_grid import EventGridSink
from integration.clock import SystemClock
from integration.errors import Outage
from integration.ledger import State
from integration.messaging.event_grid import EventGridTopic, authorizer
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response
from integration.worker.settled import encoded, settled_document
from tests.builders import event

TOPIC = "https://settled.westeurope-1.eventgrid.azure.net/api/events"
NAMESPACE = "https://contoso.westeurope-1.eventgrid.azure.net/topics/settled:publish"


class Topic:
    """Answers each request as `answer` says of its events; 200 otherwise."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.urls: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.refused: set[str] = set()
        self.status = 200

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        assert authorizer is not None
        assert request.body is not None
        self.urls.append(request.url)
        self.headers.append({**request.headers, **await authorizer.headers()})
        batch = json.loads(request.body)
        if self.status != 200:
            return Response(request, self.status, {}, b"", None)
        if any(it["data"]["eventId"] in self.refused for it in batch):
            return Response(request, 400, {}, b"", None)
        self.batches.append(batch)
        return Response(request, 200, {}, b"", None)

    @property
    def taken(self) -> list[str]:
        return [it["data"]["eventId"] for batch in self.batches for it in batch]


def documents(count: int, state: State = State.COMPLETED) -> list[bytes]:
    made = [replace(event(), event_id=f"event-{number}") for number in range(count)]
    return [encoded(settled_document(it, state, at=it.accepted_time)) for it in made]


def publish(topic: Topic, bodies: list[bytes], endpoint: str = TOPIC) -> None:
    sink = EventGridSink(EventGridTopic(topic, endpoint, authorizer(endpoint, "the-key", None, SystemClock())))
    asyncio.run(sink.publish(bodies))


def test_settled_events_are_cloud_events_of_their_own_ids() -> None:
    """A dead letter that is resolved later is another CloudEvent of the same event."""
    topic = Topic()
    publish(topic, documents(2) + documents(1, State.DEAD_LETTERED))

    [batch] = topic.batches
    assert [it["id"] for it in batch] == ["event-0_completed", "event-1_completed", "event-0_dead-lettered"]
    assert {it["specversion"] for it in batch} == {"1.0"}
    assert {it["type"] for it in batch} == {"integration.settled"}
    assert topic.headers[0]["Content-Type"].startswith("application/cloudevents-batch+json")


@pytest.mark.parametrize(
    ("endpoint", "url", "header", "value"),
    [
        (TOPIC, f"{TOPIC}?api-version=2018-01-01", "aeg-sas-key", "the-key"),
        (NAMESPACE, f"{NAMESPACE}?api-version=2024-06-01", "Authorization", "SharedAccessKey the-key"),
    ],
)
def test_each_kind_of_topic_is_addressed_in_its_way(endpoint: str, url: str, header: str, value: str) -> None:
    topic = Topic()
    publish(topic, documents(1), endpoint)
    assert (topic.urls, topic.headers[0][header]) == ([url], value)


def test_a_request_stays_within_the_limit_of_event_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(documents(1)[0]) + 40
    monkeypatch.setattr(event_grid, "MOST_BYTES", 3 * size)
    topic = Topic()
    publish(topic, documents(8))

    assert topic.taken == [f"event-{number}" for number in range(8)]
    assert len(topic.batches) > 2
    assert max(len(json.dumps(it, separators=(",", ":")).encode()) for it in topic.batches) <= 3 * size


def test_an_event_that_is_refused_is_left_out_and_those_beside_it_are_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    topic = Topic()
    topic.refused = {"event-2"}
    publish(topic, documents(5))

    assert topic.taken == ["event-0", "event-1", "event-3", "event-4"]
    assert "event-grid-left-out" in caplog.text
    assert "event-2" in caplog.text


def test_an_event_that_fits_into_no_request_is_not_sent_and_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_grid, "MOST_BYTES", 100)
    topic = Topic()
    publish(topic, documents(2))
    assert topic.urls == []
    assert caplog.text.count("event-grid-left-out") == 2


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503])
def test_a_topic_that_takes_nothing_has_the_batch_come_again(status: int) -> None:
    topic = Topic()
    topic.status = status
    with pytest.raises(Outage):
        publish(topic, documents(1))


def test_what_is_no_settled_event_holds_nothing_up() -> None:
    topic = Topic()
    publish(topic, [b"no json", b"[]", *documents(1)])
    assert topic.taken == ["event-0"]
    publish(topic, [b"{}"])
    assert len(topic.batches) == 1
