"""What is sent, and the sender's link: kept while it is known to work, and asked for its health without harm."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from azure.servicebus.exceptions import MessageSizeExceededError

from integration.clock import SystemClock
from integration.errors import Transient
from integration.events import to_envelope
from integration.messaging import WorkQueue, work_queue
from tests.builders import event


class Clock(SystemClock):
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Broker:
    """A client of Service Bus whose links are counted; `capacity` is how many messages fit into a batch."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.capacity = 100
        self.queues: list[str] = []
        self.away = False
        self.sent: list[Any] = []

    def __call__(self) -> Any:
        self.opened += 1
        return self

    def get_queue_sender(self, name: str) -> Any:
        self.queues.append(name)
        return self

    def close(self) -> None:
        self.closed += 1
        raise OSError("broken already")

    def create_message_batch(self) -> Any:
        if self.away:
            raise ConnectionError
        messages: list[Any] = []

        def add(message: Any) -> None:
            if len(messages) == self.capacity:
                raise MessageSizeExceededError(message="the batch is full")
            messages.append(message)

        return SimpleNamespace(add_message=add, messages=messages)

    def send_messages(self, batch: Any, *, timeout: float) -> None:
        assert timeout <= 60, "a caller would wait too long"
        self.sent += batch.messages


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(broker: Broker, clock: Clock) -> WorkQueue:
    return WorkQueue(broker, "work", clock=clock)


def test_asking_for_health_costs_an_idle_sender_no_link(queue: WorkQueue, broker: Broker, clock: Clock) -> None:
    """Anyone may ask, as often as they like: one look in half a minute."""
    for second in range(60):
        clock.seconds = second
        queue.ping().result(5)

    assert broker.opened == 2


def test_a_link_that_has_just_carried_an_event_is_known_to_work(queue: WorkQueue, broker: Broker, clock: Clock) -> None:
    for second in range(0, 200, 20):
        clock.seconds = second
        queue.send(event(), b"{}").result(5)
        queue.ping().result(5)

    assert broker.opened == 1


def test_a_link_that_has_failed_since_is_looked_at_at_once(queue: WorkQueue, broker: Broker) -> None:
    queue.send(event(), b"{}").result(5)
    broker.away = True
    with pytest.raises(Transient):
        queue.send(event(), b"{}").result(5)
    with pytest.raises(Transient):
        queue.ping().result(5)
    broker.away = False

    queue.ping().result(5)


def test_an_event_is_sent_as_it_was_encoded(queue: WorkQueue, broker: Broker) -> None:
    """The intake has made the envelope to see whether it fits: it is not made twice."""
    again = event()
    queue.send(event(), b"as it is").result(5)
    queue.schedule(again, again.accepted_time).result(5)

    assert [b"".join(message.body) for message in broker.sent] == [b"as it is", to_envelope(again)]


def test_a_message_says_what_the_broker_and_the_worker_need(queue: WorkQueue, broker: Broker) -> None:
    """One session per record, one MessageId per event and attempt, and the trace of the change."""
    it = replace(event(), traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate="rojo=1")
    queue.send(it, b"{}").result(5)

    (message,) = broker.sent
    assert message.session_id == it.session_id
    assert message.message_id == it.message_id
    assert message.correlation_id == it.correlation_id
    assert message.content_type == "application/cloudevents+json"
    assert message.subject == f"{it.table}.{it.message}"
    assert message.application_properties == {"traceparent": it.traceparent, "tracestate": "rojo=1"}
    assert message.scheduled_enqueue_time_utc is None
    assert broker.queues == ["work"]


def test_an_event_without_a_trace_has_none_in_its_message(queue: WorkQueue, broker: Broker) -> None:
    queue.send(replace(event(), traceparent=None), b"{}").result(5)

    assert not broker.sent[0].application_properties


def test_what_is_scheduled_appears_when_it_is_due(queue: WorkQueue, broker: Broker) -> None:
    due = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    queue.schedule(event(), due).result(5)

    assert broker.sent[0].scheduled_enqueue_time_utc == due


def test_what_does_not_fit_into_a_batch_goes_with_the_next(queue: WorkQueue, broker: Broker) -> None:
    """Nothing is lost, nothing is sent twice, and the order is kept."""
    broker.capacity = 2
    futures = [queue.send(event(), b"%d" % number) for number in range(25)]
    for future in futures:
        future.result(5)

    assert [int(b"".join(message.body)) for message in broker.sent] == list(range(25))


def test_a_broker_that_does_not_acknowledge_fails_the_future(queue: WorkQueue, broker: Broker) -> None:
    """The connection is closed, and the next event opens another."""
    broker.away = True
    with pytest.raises(Transient) as failed:
        queue.send(event(), b"{}").result(5)
    assert failed.value.reason == "broker-unavailable"
    assert broker.closed == 1
    broker.away = False
    queue.send(event(), b"{}").result(5)

    assert broker.opened == 2
    assert len(broker.sent) == 1


def test_the_first_question_about_its_health_opens_a_link(queue: WorkQueue, broker: Broker) -> None:
    """Nothing has proved yet that the broker is there."""
    broker.away = True
    with pytest.raises(Transient):
        queue.ping().result(5)
    assert broker.opened == 1


def test_a_question_about_its_health_beside_an_event_does_not_cost_the_link(
    queue: WorkQueue, broker: Broker, clock: Clock
) -> None:
    """An event that travels in the same batch proves as much."""
    queue.send(event(), b"{}").result(5)
    clock.seconds = 1000
    queue._send([None, partial(work_queue._to_message, event(), b"{}", None)])

    assert broker.opened == 1
    assert len(broker.sent) == 2


def test_what_is_waiting_is_sent_before_the_connection_closes(queue: WorkQueue, broker: Broker) -> None:
    futures = [queue.send(event(), b"{}") for _ in range(50)]
    queue.close()

    assert all(future.done() for future in futures)
    assert len(broker.sent) == 50
    assert broker.closed == 1
