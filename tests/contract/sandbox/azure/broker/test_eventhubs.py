"""Event hubs, through azure-eventhub."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumer
from azure.eventhub.aio import EventHubProducerClient as AsyncProducer
from azure.eventhub.amqp import AmqpAnnotatedMessage
from azure.eventhub.exceptions import EventHubError

from sandbox.azure.broker.entities.partition_hash import partition_of

Produce = Callable[..., list[str]]


@pytest.fixture(scope="module")
def producer(connection_string: str) -> Iterator[Callable[[str], EventHubProducerClient]]:
    clients: dict[str, EventHubProducerClient] = {}

    def get(hub: str) -> EventHubProducerClient:
        if hub not in clients:
            clients[hub] = EventHubProducerClient.from_connection_string(
                connection_string, eventhub_name=hub, retry_total=0
            )
        return clients[hub]

    yield get
    for client in clients.values():
        client.close()


def read(
    connection_string: str, hub: str, count: int, partition: str = "0", **options: Any
) -> list[tuple[EventData, Any]]:
    """The next `count` events of a partition, each with the context's last-enqueued properties."""
    found: list[tuple[EventData, Any]] = []
    client = EventHubConsumerClient.from_connection_string(
        connection_string, consumer_group=options.pop("group", "$Default"), eventhub_name=hub
    )

    def on_event(context: Any, event: EventData | None) -> None:
        if event is not None:
            found.append((event, context.last_enqueued_event_properties))
        if len(found) >= count:
            threading.Thread(target=client.close).start()

    thread = threading.Thread(
        target=lambda: client.receive(on_event, max_wait_time=1, partition_id=partition, **options)
    )
    thread.start()
    thread.join(15)
    client.close()
    assert len(found) >= count
    return found[:count]


def test_events_arrive_in_order_from_any_position(
    producer: Callable[[str], EventHubProducerClient], connection_string: str
) -> None:
    """From the start, behind a sequence number, at and behind an offset, and from a time."""
    client = producer("positions")
    batch = client.create_batch(partition_id="0")
    for index in range(30):
        event = EventData(f"e{index}")
        event.properties = {"n": index}
        batch.add(event)
    client.send_batch(batch)
    events = [event for event, _ in read(connection_string, "positions", 30, starting_position="-1")]
    assert [event.body_as_str() for event in events] == [f"e{index}" for index in range(30)]
    assert [event.sequence_number for event in events] == list(range(30))
    assert events[3].properties == {b"n": 3}
    assert events[0].offset == "0"
    began = events[0].enqueued_time
    assert began is not None
    positions: list[tuple[Any, bool, str]] = [
        (events[9].sequence_number, False, "e10"),
        (events[24].offset, False, "e25"),
        (events[24].offset, True, "e24"),
        (began - timedelta(seconds=1), False, "e0"),
    ]

    def first_at(position: Any, inclusive: bool, _: str) -> str:
        [(event, _metrics)] = read(
            connection_string, "positions", 1, starting_position=position, starting_position_inclusive=inclusive
        )
        return event.body_as_str()

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(first_at, *zip(*positions, strict=True)))
    assert found == [expected for _, _, expected in positions]


def test_a_partition_key_chooses_its_partition(
    producer: Callable[[str], EventHubProducerClient], connection_string: str
) -> None:
    """The same one that the SDK's own resolver chooses; and the event carries the key."""
    from azure.eventhub._buffered_producer._partition_resolver import PartitionResolver  # noqa: PLC0415 -- its internals

    resolver = PartitionResolver([str(index) for index in range(7)])
    keys = [uuid.uuid4().hex[: index % 30] + "ä" for index in range(300)]
    assert [resolver.get_partition_id_by_partition_key(key) for key in keys] == [
        str(partition_of(key, 7)) for key in keys
    ]
    client = producer("events")
    batch = client.create_batch(partition_key="customer-7")
    batch.add(EventData("keyed"))
    client.send_batch(batch)
    partition = str(partition_of("customer-7", 4))
    [(event, _)] = read(connection_string, "events", 1, partition, starting_position="-1")
    assert (event.body_as_str(), event.partition_key) == ("keyed", b"customer-7")


def test_properties_of_hub_and_partition(producer: Callable[[str], EventHubProducerClient]) -> None:
    """Filled and empty."""
    properties = producer("events").get_eventhub_properties()
    assert (properties["eventhub_name"], properties["partition_ids"]) == ("events", ["0", "1", "2", "3"])
    empty = producer("empty").get_partition_properties("1")
    assert empty["is_empty"]
    assert (empty["last_enqueued_sequence_number"], empty["last_enqueued_offset"]) == (-1, "-1")
    with pytest.raises(EventHubError):
        producer("empty").get_partition_properties("9")


def test_an_unknown_hub_is_refused(connection_string: str) -> None:
    client = EventHubProducerClient.from_connection_string(connection_string, eventhub_name="nowhere", retry_total=0)
    with client, pytest.raises(EventHubError):
        client.send_batch([EventData("x")])


async def test_a_higher_epoch_steals_and_latest_sees_only_what_is_new(connection_string: str) -> None:
    """With the asyncio SDK; the first reader is notified, and metrics come along when asked for.

    The SDK does not say when a reader has attached: events are sent until the first of them is read.
    """
    seen: list[tuple[str, Any]] = []
    errors: list[Exception] = []

    async def on_event(context: Any, event: EventData | None) -> None:
        assert event is not None
        seen.append((event.body_as_str(), context.last_enqueued_event_properties))

    async def on_error(_: Any, error: Exception) -> None:
        errors.append(error)

    def consumer() -> AsyncConsumer:
        return AsyncConsumer.from_connection_string(
            connection_string, consumer_group="$Default", eventhub_name="epochs"
        )

    def read_latest(reader: AsyncConsumer, owner_level: int, *, metrics: bool = False) -> asyncio.Task[None]:
        return asyncio.create_task(
            reader.receive(
                on_event,
                partition_id="0",
                owner_level=owner_level,
                starting_position="@latest",
                track_last_enqueued_event_properties=metrics,
                on_error=on_error,
            )
        )

    async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 -- callbacks of the SDK are looked at
            await asyncio.sleep(0.05)
        assert condition()

    async def send(text: str) -> None:
        batch = await publisher.create_batch(partition_id="0")
        batch.add(EventData(text))
        await publisher.send_batch(batch)

    first, second = consumer(), consumer()
    async with AsyncProducer.from_connection_string(connection_string, eventhub_name="epochs") as publisher:
        assert await publisher.get_partition_ids() == ["0"]
        assert (await publisher.get_partition_properties("0"))["is_empty"]
        await send("before")
        reading = read_latest(first, 0, metrics=True)
        async with asyncio.timeout(60):
            while not seen:
                await send("after")
                await asyncio.sleep(0.5)
        assert {body for body, _ in seen} == {"after"}
        assert seen[0][1]["sequence_number"] >= 1
        stealing = read_latest(second, 5)
        await until(lambda: bool(errors))
        assert "epoch" in str(errors[0])
    await asyncio.gather(first.close(), second.close())
    for task in (reading, stealing):
        task.cancel()


def test_delivery_annotations_of_the_sender_arrive(connection_string: str) -> None:
    """With the partition's newest event asked for too: clients keep one section of delivery annotations only."""
    message = AmqpAnnotatedMessage(data_body=b"x", delivery_annotations={"d": "v"})
    with EventHubProducerClient.from_connection_string(connection_string, eventhub_name="annotated") as client:
        client.send_batch([message], partition_id="0")
    for tracked in (False, True):
        [(event, newest)] = read(
            connection_string,
            "annotated",
            1,
            starting_position="-1",
            track_last_enqueued_event_properties=tracked,
        )
        annotations = event.raw_amqp_message.delivery_annotations or {}
        assert annotations[b"d"] == b"v"
        assert (newest["sequence_number"] is not None) is tracked
