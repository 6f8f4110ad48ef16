"""Sessions, through azure-servicebus."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient, ServiceBusMessage, ServiceBusSender
from azure.servicebus import exceptions as sdk
from azure.servicebus.aio import ServiceBusClient as AsyncClient

from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

Sender = Callable[[str], ServiceBusSender]


def messages(session: str, count: int) -> list[ServiceBusMessage]:
    return [ServiceBusMessage(f"{session}{index}", session_id=session) for index in range(count)]


def test_a_session_is_held_by_one_and_read_in_order(
    client: ServiceBusClient, sender: Sender, connection_string: str
) -> None:
    """By id and by next available; state, renewal, abandon inside the session; listing."""
    sender("sessions").send_messages(messages("A", 3))
    sender("sessions").send_messages(messages("B", 2))
    with pytest.raises(sdk.ServiceBusError):
        sender("sessions").send_messages(ServiceBusMessage("without session"))
    with client.get_queue_receiver("sessions", session_id="A") as first:
        until = first.session.locked_until_utc
        assert until is not None
        assert until > datetime.now(UTC)
        with ServiceBusClient.from_connection_string(connection_string, retry_total=0) as other:
            with pytest.raises(sdk.SessionCannotBeLockedError):
                other.get_queue_receiver("sessions", session_id="A").__enter__()
            with other.get_queue_receiver("sessions", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5) as second:
                assert second.session.session_id == "B"
                taken = second.receive_messages(5, max_wait_time=2)
                assert [str(item) for item in taken] == ["B0", "B1"]
                for message in taken:
                    second.complete_message(message)
        assert first.session.get_state() is None
        first.session.set_state(b"state")
        assert first.session.get_state() == b"state"
        assert first.session.renew_lock() > datetime.now(UTC)
        assert list(client.list_queue_sessions("sessions")) == ["A"]
        taken = first.receive_messages(5, max_wait_time=2)
        assert [str(item) for item in taken] == ["A0", "A1", "A2"]
        first.complete_message(taken[0])
        first.abandon_message(taken[1])
        [again] = first.receive_messages(1, max_wait_time=2)
        assert (str(again), again.delivery_count) == ("A1", 1)
        first.complete_message(again)
        first.complete_message(taken[2])
    with client.get_queue_receiver("sessions", session_id="A") as later:
        assert later.session.get_state() == b"state", "a session's state outlives its messages"
        later.session.set_state(None)
    assert list(client.list_queue_sessions("sessions")) == []


def test_closing_a_session_gives_its_messages_back_uncounted(client: ServiceBusClient, sender: Sender) -> None:
    sender("sessions").send_messages(messages("C", 2))
    with client.get_queue_receiver("sessions", session_id="C") as receiver:
        assert len(receiver.receive_messages(2, max_wait_time=2)) == 2
    with client.get_queue_receiver("sessions", session_id="C", receive_mode="receiveanddelete") as receiver:
        assert [item.delivery_count for item in receiver.receive_messages(2, max_wait_time=2)] == [0, 0]


def test_an_expired_session_lock_is_lost(client: ServiceBusClient, sender: Sender, broker: BrokerProcess) -> None:
    """At once for the holder, whose message comes again to the next, counted; others can have the session."""
    sender("session-lock").send_messages(messages("L", 1))
    with client.get_queue_receiver("session-lock", session_id="L") as receiver:
        [message] = receiver.receive_messages(1, max_wait_time=2)
        broker.advance(31)
        with pytest.raises(sdk.SessionLockLostError):
            receiver.complete_message(message)
        with pytest.raises(sdk.SessionLockLostError):
            receiver.session.renew_lock()
    with client.get_queue_receiver("session-lock", session_id="L") as receiver:
        [message] = receiver.receive_messages(1, max_wait_time=2)
        assert message.delivery_count == 1
        receiver.complete_message(message)


def test_waiting_for_a_session_ends_with_a_timeout(client: ServiceBusClient) -> None:
    with pytest.raises(sdk.OperationTimeoutError):
        client.get_queue_receiver("next-session", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1).__enter__()


async def test_sessions_with_the_asyncio_sdk(connection_string: str, sender: Sender) -> None:
    sender("sessions").send_messages(messages("Z", 1))
    async with (
        AsyncClient.from_connection_string(connection_string, retry_total=0) as client,
        client.get_queue_receiver("sessions", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5) as receiver,
    ):
        assert receiver.session.session_id == "Z"
        await receiver.session.set_state("text")
        assert await receiver.session.get_state() == b"text"
        [message] = await receiver.receive_messages(1, max_wait_time=3)
        await receiver.complete_message(message)
        await receiver.session.set_state(None)
