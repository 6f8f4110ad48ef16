"""How the links to the hub are opened."""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from types import SimpleNamespace
from typing import Any

import pytest
from azure.eventhub import EventData

from integration.messaging import EventPublisher

PARTITIONS = ["0", "1", "2", "3"]


class Hub:
    """A client of a hub with four partitions; `arrive` is called with the partition of each batch that is sent."""

    def __init__(self) -> None:
        self.connected = threading.Event()
        self.connections = 0
        self.sent: list[tuple[str, bytes]] = []
        self.arrive: Callable[[str], object] = lambda partition: None

    def __call__(self) -> Any:
        self.connections += 1
        return self

    def get_partition_ids(self) -> list[str]:
        return PARTITIONS

    def get_eventhub_properties(self) -> None:
        self.connected.set()

    def create_batch(self, partition_id: str = "") -> Any:
        events: list[EventData] = []
        return SimpleNamespace(partition=partition_id, events=events, add=events.append)

    def send_batch(self, batch: Any) -> None:
        self.arrive(batch.partition)
        self.sent += [(batch.partition, b"".join(event.body)) for event in batch.events]

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_links_are_opened_side_by_side(hub: Hub) -> None:
    """Each batch is sent only once the first of every partition is on its way: one after another they would wait."""
    together = threading.Barrier(len(PARTITIONS), timeout=10)
    first = threading.Event()
    publisher = EventPublisher(hub, "hub")
    hub.get_eventhub_properties = lambda: first.wait(10)  # type: ignore[method-assign, assignment] # until all are submitted
    hub.arrive = lambda partition: together.wait() if len(hub.sent) < len(PARTITIONS) else None
    publisher.open()
    published = [publisher.publish(f"record {number}", b"x") for number in range(40)]
    first.set()
    assert not wait(published, 10).not_done
    assert [future.exception() for future in published] == [None] * 40
    assert {partition for partition, _ in hub.sent} == set(PARTITIONS)


def test_it_connects_before_there_is_anything_to_publish(hub: Hub) -> None:
    """Once, however often it is asked to."""
    publisher = EventPublisher(hub, "hub")
    publisher.open()
    publisher.open()
    assert hub.connected.wait(10)
    publisher.publish("record", b"x").result(10)
    assert hub.connections == 1
