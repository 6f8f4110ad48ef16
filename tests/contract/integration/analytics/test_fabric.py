"""The Fabric sink against the sandbox's broker: what Microsoft's SDK sends over AMQP, and what a consumer gets."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import EventHubProducerClient

from integration.analytics.row import Row
from integration.analytics.sink import Receipt
from integration.analytics.sinks.fabric import FabricSink
from integration.errors import Outage
from integration.worker.settled import encoded
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

AT = datetime(2026, 11, 20, tzinfo=UTC)
HUB = "events"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    process = BrokerProcess(tmp_path)
    process.start()
    yield process
    process.stop()


def rows(*numbers: int) -> list[Row]:
    padding = "x" * 100_000
    return [
        Row.read("6", it, AT, encoded({"id": f"e-{it}", "data": {"state": "completed", "effects": {"a": padding}}}))
        for it in numbers
    ]


def read(broker: BrokerProcess, partition: str, count: int) -> list[dict[str, Any]]:
    """The events of a partition from its beginning."""
    with AmqpClient(broker.port) as client:
        client.receiver(f"{HUB}/ConsumerGroups/$Default/Partitions/{partition}", credit=count + 1)
        bodies = [sections.tail for _, sections in client.receive(count)]
    return [json.loads(body[body.index(b"{") :]) for body in bodies]  # behind the head of the section


async def test_events_reach_a_consumer_in_their_order_also_across_a_kill_of_the_hub(broker: BrokerProcess) -> None:
    """More than fits into one batch of the hub. What could not be sent while the hub was away is sent afterwards."""
    sink = FabricSink(
        lambda: EventHubProducerClient.from_connection_string(
            broker.connection_string, eventhub_name=HUB, retry_total=0
        )
    )
    assert await sink.write(rows(*range(25))) == Receipt()

    broker.kill()
    receipt = await sink.write(rows(25, 26))
    assert [it.sequence_number for it in receipt.waiting] == [25, 26]
    assert isinstance(receipt.error, Outage)

    broker.start()
    assert await sink.write(receipt.waiting) == Receipt()
    found = read(broker, "2", 27)  # the source's partition 6, of four
    assert [(it["id"], it["partition"], it["sequenceNumber"]) for it in found] == [
        (f"e-{number}", "6", number) for number in range(27)
    ]
