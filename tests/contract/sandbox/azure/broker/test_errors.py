"""Refusals become the exception classes that the SDKs raise against Azure."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.eventhub import EventData, EventHubProducerClient
from azure.eventhub import exceptions as hub_errors
from azure.eventhub.aio import EventHubProducerClient as AsyncProducer
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender
from azure.servicebus import exceptions as sdk
from azure.servicebus.aio import ServiceBusClient as AsyncClient

from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess


def test_service_bus_refusals(client: ServiceBusClient, sender: Callable[[str], ServiceBusSender]) -> None:
    """A message that is too large, entities that are not there or not for this, a session that is not named."""
    large, plain = ServiceBusMessage("x" * 300_000), ServiceBusMessage("x")
    senders = [sender(name) for name in ("send", "sessions")]  # opened in one thread

    cases: list[tuple[type[Exception], Callable[[], object]]] = [
        (sdk.MessageSizeExceededError, lambda: senders[0].send_messages(large)),
        (sdk.ServiceBusError, lambda: senders[1].send_messages(plain)),
        (sdk.ServiceBusAuthenticationError, lambda: client.get_topic_sender("nowhere").__enter__()),
        (sdk.MessagingEntityNotFoundError, lambda: client.get_subscription_receiver("orders", "none").__enter__()),
        (sdk.ServiceBusError, lambda: client.get_queue_receiver("sessions").__enter__()),
        (sdk.ServiceBusError, lambda: client.get_queue_receiver("send", session_id="s").__enter__()),
    ]

    def refused(case: tuple[type[Exception], Callable[[], object]]) -> None:
        with pytest.raises(case[0]) as caught:
            case[1]()
        assert type(caught.value) is case[0]

    with ThreadPoolExecutor() as pool:
        list(pool.map(refused, cases))


def test_a_busy_server(sender: Callable[[str], ServiceBusSender], broker: BrokerProcess) -> None:
    send = sender("send")
    broker.call("POST", "/control/fault", {"server_busy": True})
    try:
        with pytest.raises(sdk.ServiceBusServerBusyError):
            send.send_messages(ServiceBusMessage("x"))
    finally:
        broker.call("DELETE", "/control/fault")


def test_event_hub_refusals(connection_string: str) -> None:
    """A hub that is not there is refused with the token, a partition that is not there when it is asked for."""

    def producer(hub: str) -> EventHubProducerClient:
        return EventHubProducerClient.from_connection_string(connection_string, eventhub_name=hub, retry_total=0)

    with producer("nowhere") as missing, pytest.raises(hub_errors.AuthenticationError):
        missing.send_batch([EventData("x")])
    with producer("events") as known, pytest.raises(hub_errors.ConnectError):
        known.send_batch([EventData("x")], partition_id="9")


async def test_the_asyncio_sdks_raise_the_same(connection_string: str) -> None:
    async with (
        AsyncClient.from_connection_string(connection_string, retry_total=0) as client,
        AsyncProducer.from_connection_string(connection_string, eventhub_name="nowhere", retry_total=0) as producer,
        client.get_queue_sender("send") as sender,
    ):

        async def refused(error: type[Exception], attempt: Callable[[], object]) -> None:
            with pytest.raises(error):
                await attempt()  # type: ignore[misc] # every attempt is a coroutine function

        large = ServiceBusMessage("x" * 300_000)
        unknown = client.get_queue_sender("nowhere")
        await asyncio.gather(
            refused(sdk.MessageSizeExceededError, lambda: sender.send_messages(large)),
            refused(sdk.ServiceBusAuthenticationError, unknown.__aenter__),
            refused(hub_errors.AuthenticationError, lambda: producer.send_batch([EventData("x")])),
        )
