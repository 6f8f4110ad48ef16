"""What is published reaches the partition of its key, in order, and a failure is the caller's to know."""

from types import SimpleNamespace
from typing import Any

import pytest

from integration.errors import Transient
from integration.messaging import EventPublisher

PARTITIONS = ["0", "1", "2", "3"]
SECONDS = 5


class Hub:
    """A client of Event Hubs; `capacity` is how many events fit into a batch."""

    def __init__(self, partitions: list[str] | None = None) -> None:
        self.partitions = partitions or PARTITIONS
        self.capacity = 100
        self.away = False
        self.opened = self.closed = self.asked = 0
        self.batches: list[tuple[str, list[Any]]] = []

    def connect(self) -> Any:
        self.opened += 1
        return self

    def get_partition_ids(self) -> list[str]:
        return self.partitions

    def get_eventhub_properties(self) -> None:
        self.asked += 1

    def create_batch(self, *, partition_id: str | None = None) -> Any:
        events: list[Any] = []

        def add(event: Any) -> None:
            if len(events) == self.capacity:
                raise ValueError("the batch is full")
            events.append(event)

        return SimpleNamespace(partition=partition_id, events=events, add=add)

    def send_batch(self, batch: Any) -> None:
        if self.away:
            raise ConnectionError
        self.batches.append((batch.partition, batch.events))

    def close(self) -> None:
        self.closed += 1
        raise OSError("broken already")

    @property
    def bodies(self) -> list[bytes]:
        return [b"".join(event.body) for _, events in self.batches for event in events]


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def publisher(hub: Hub) -> EventPublisher:
    return EventPublisher(hub.connect, "hub")


def test_events_of_a_record_stay_in_order_in_one_partition(publisher: EventPublisher, hub: Hub) -> None:
    """And those of many records are spread over all partitions."""
    futures = [publisher.publish(f"account:{number % 40}", b"%d" % number) for number in range(200)]
    for future in futures:
        future.result(SECONDS)

    where: dict[int, set[str]] = {}
    order: dict[int, list[int]] = {}
    for partition, events in hub.batches:
        for event in events:
            number = int(b"".join(event.body))
            where.setdefault(number % 40, set()).add(partition)
            order.setdefault(number % 40, []).append(number)
    assert {len(partitions) for partitions in where.values()} == {1}
    assert all(numbers == sorted(numbers) for numbers in order.values())
    assert set.union(*where.values()) == set(PARTITIONS)


def test_the_partition_of_a_key_is_the_same_in_every_instance() -> None:
    """Whatever the order in which a client names the partitions."""
    first, second = Hub(["0", "1", "2", "3"]), Hub(["3", "1", "0", "2"])
    for hub in (first, second):
        publisher = EventPublisher(hub.connect, "hub")
        for number in range(20):
            publisher.publish(f"account:{number}", b"").result(SECONDS)

    assert [partition for partition, _ in first.batches] == [partition for partition, _ in second.batches]


def test_an_event_says_what_it_is(publisher: EventPublisher, hub: Hub) -> None:
    """A consumer reads the content type before the body."""
    publisher.publish("a", b"{}").result(SECONDS)
    publisher.publish("a", b"x", content_type="application/json").result(SECONDS)

    kinds = [event.content_type for _, events in hub.batches for event in events]
    assert kinds == ["application/cloudevents+json", "application/json"]


def test_what_does_not_fit_into_a_batch_goes_with_the_next(publisher: EventPublisher, hub: Hub) -> None:
    """Nothing is lost and nothing is sent twice."""
    hub.capacity = 2
    futures = [publisher.publish("a", b"%d" % number) for number in range(25)]
    for future in futures:
        future.result(SECONDS)

    assert [int(body) for body in hub.bodies] == list(range(25))
    assert len(hub.batches) >= 13
    assert len({partition for partition, _ in hub.batches}) == 1


def test_a_hub_that_does_not_acknowledge_fails_the_future(publisher: EventPublisher, hub: Hub) -> None:
    """The connection is closed, and the next event opens another."""
    hub.away = True
    with pytest.raises(Transient) as failed:
        publisher.publish("a", b"1").result(SECONDS)
    assert failed.value.reason == "hub-unavailable"
    assert hub.closed == 1
    hub.away = False
    publisher.publish("a", b"2").result(SECONDS)

    assert hub.bodies == [b"2"]
    assert hub.opened == 2


def test_one_connection_serves_all_events(publisher: EventPublisher, hub: Hub) -> None:
    for _ in range(3):
        publisher.publish("a", b"").result(SECONDS)

    assert hub.opened == 1


def test_a_ping_asks_the_hub_and_publishes_nothing(publisher: EventPublisher, hub: Hub) -> None:
    publisher.ping().result(SECONDS)
    assert hub.asked == 1
    assert not hub.batches

    publisher.publish("a", b"").result(SECONDS)
    assert hub.asked == 1


def test_what_is_waiting_is_published_before_the_connection_closes(publisher: EventPublisher, hub: Hub) -> None:
    futures = [publisher.publish("a", b"%d" % number) for number in range(50)]
    publisher.close()

    assert all(future.done() for future in futures)
    assert len(hub.bodies) == 50
    assert hub.closed == 1
