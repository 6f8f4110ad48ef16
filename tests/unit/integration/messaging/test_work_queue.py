"""The sender's link: kept while it is known to work, and asked for its health without harm."""

from types import SimpleNamespace
from typing import Any

import pytest

from integration.clock import SystemClock
from integration.errors import Transient
from integration.events import to_envelope
from integration.messaging import WorkQueue
from tests.builders import event


class Clock(SystemClock):
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Broker:
    """A client of Service Bus whose links are counted."""

    def __init__(self) -> None:
        self.opened = 0
        self.away = False
        self.sent: list[Any] = []

    def __call__(self) -> Any:
        self.opened += 1
        return SimpleNamespace(get_queue_sender=lambda _name: self, close=lambda: None)

    def create_message_batch(self) -> Any:
        if self.away:
            raise ConnectionError
        self.batch: list[Any] = []
        return SimpleNamespace(add_message=self.batch.append)

    def send_messages(self, _batch: Any, *, timeout: float) -> None:
        self.sent += self.batch


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
