"""TLS and WebSockets: connection strings and options of real namespaces, on the port with the sandbox's certificate."""

import asyncio
import ssl
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubProducerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus import TransportType as ServiceBusTransport
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient
from azure.servicebus.management import ServiceBusAdministrationClient

from sandbox.azure.amqp import Accepted
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

TRANSPORTS = ["Amqp", "AmqpOverWebsocket"]
EITHER = pytest.mark.parametrize("transport", TRANSPORTS)


def options(broker: BrokerProcess) -> dict[str, Any]:
    """The sandbox's authority, and the port: the Python SDKs take 5671 and 443 whatever the connection string says."""
    address = f"https://localhost:{broker.tls_port}"
    return {"connection_verify": str(broker.ca_file), "custom_endpoint_address": address, "retry_total": 0}


@EITHER
def test_service_bus_works_as_with_a_real_namespace(broker: BrokerProcess, transport: str) -> None:
    with ServiceBusClient.from_connection_string(
        broker.secure_connection_string, transport_type=ServiceBusTransport[transport], **options(broker)
    ) as client:
        with client.get_queue_sender("secure") as sender:
            sender.send_messages([ServiceBusMessage(f"{number}" * 50_000) for number in range(3)])
        with client.get_queue_receiver("secure") as receiver:
            received: list[str] = []
            while len(received) < 3:
                for message in receiver.receive_messages(3, max_wait_time=5):
                    received.append(str(message)[:2])
                    receiver.complete_message(message)
    assert received == ["00", "11", "22"]


@EITHER
async def test_service_bus_works_with_asyncio(broker: BrokerProcess, transport: str) -> None:
    async with AsyncServiceBusClient.from_connection_string(
        broker.secure_connection_string, transport_type=ServiceBusTransport[transport], **options(broker)
    ) as client:
        async with client.get_queue_sender("secure") as sender:
            await sender.send_messages(ServiceBusMessage("x"))
        async with client.get_queue_receiver("secure") as receiver:
            [message] = await receiver.receive_messages(1, max_wait_time=5)
            await receiver.complete_message(message)
    assert str(message) == "x"


@EITHER
async def test_event_hubs_work_as_with_a_real_namespace(broker: BrokerProcess, transport: str) -> None:
    kind = TransportType[transport]
    given = {"eventhub_name": "secure-events", "transport_type": kind, **options(broker)}
    with EventHubProducerClient.from_connection_string(broker.secure_connection_string, **given) as producer:
        producer.send_batch([EventData(transport)], partition_id="0")
    found: asyncio.Queue[str] = asyncio.Queue()
    consumer = EventHubConsumerClient.from_connection_string(
        broker.secure_connection_string, consumer_group="$Default", **given
    )

    async def on_event(_: Any, event: EventData | None) -> None:
        if event is not None:
            await found.put(event.body_as_str())

    async with consumer:
        reading = asyncio.create_task(consumer.receive(on_event, partition_id="0", starting_position="-1"))
        while await asyncio.wait_for(found.get(), 10) != transport:
            pass
        reading.cancel()


def test_the_administration_client_needs_no_patch_over_https(broker: BrokerProcess) -> None:
    with ServiceBusAdministrationClient.from_connection_string(
        broker.secure_connection_string, connection_verify=str(broker.ca_file)
    ) as admin:
        assert admin.get_queue("secure").name == "secure"


def test_amqp_comes_through_tls_and_nothing_without_it(broker: BrokerProcess) -> None:
    trusting = ssl.create_default_context(cafile=broker.ca_file)
    with AmqpClient(broker.tls_port, trusting) as client:
        assert client.send(client.sender("secure"), text("x")) == Accepted()
        receiver = client.receiver("secure", credit=1)
        [(delivery, _)] = client.receive(1)
        client.settle(receiver, delivery, Accepted())
    with pytest.raises(ssl.SSLCertVerificationError):
        AmqpClient(broker.tls_port, ssl.create_default_context())
    with AmqpClient(broker.tls_port) as plain:
        assert not plain.wait(lambda: plain.connection.opened, 1)
