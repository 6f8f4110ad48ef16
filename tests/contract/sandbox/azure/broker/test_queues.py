"""Queues, through azure-servicebus."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
    ServiceBusSubQueue,
)
from azure.servicebus import exceptions as sdk
from azure.servicebus.aio import ServiceBusClient as AsyncClient

from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

Sender = Callable[[str], ServiceBusSender]


def take(receiver: ServiceBusReceiver, count: int) -> list[ServiceBusReceivedMessage]:
    """Exactly `count` messages: the SDK may give fewer at once."""
    taken: list[ServiceBusReceivedMessage] = []
    while len(taken) < count:
        more = receiver.receive_messages(count - len(taken), max_wait_time=5)
        assert more, f"only {len(taken)} of {count} messages came"
        taken += more
    return taken


def test_a_message_arrives_with_everything_that_was_set(
    client: ServiceBusClient, sender: Sender, now: Callable[[], datetime]
) -> None:
    """Body, properties with their types, annotations; multi-frame bodies too; batches in order."""
    properties: dict[str | bytes, Any] = {"i": 5, "s": "x", "b": True, "f": 1.5, "u": uuid.UUID(int=3)}
    sender("send").send_messages(
        ServiceBusMessage(
            "hello",
            message_id="m1",
            correlation_id="c1",
            subject="label",
            content_type="application/json",
            to="t",
            reply_to="rt",
            partition_key="pk",
            application_properties=properties,
            time_to_live=timedelta(minutes=5),
        )
    )
    large = uuid.uuid4().bytes * 14_000
    sender("send").send_messages(ServiceBusMessage(large))
    batch = sender("send").create_message_batch()
    assert batch.max_size_in_bytes == 262_144
    for index in range(30):
        batch.add_message(ServiceBusMessage(str(index), message_id=f"id{index}"))
    sender("send").send_messages(batch)
    with client.get_queue_receiver("send", prefetch_count=40) as receiver:
        first, second, *others = take(receiver, 32)
        assert (str(first), first.message_id, first.correlation_id, first.subject) == ("hello", "m1", "c1", "label")
        assert (first.content_type, first.to, first.reply_to, first.partition_key) == (
            "application/json",
            "t",
            "rt",
            "pk",
        )
        assert first.application_properties == {_bytes(key): _bytes(value) for key, value in properties.items()}
        assert first.time_to_live == timedelta(minutes=5)
        assert first.delivery_count == 0
        assert isinstance(first.lock_token, uuid.UUID)
        assert abs(seconds_until(first.enqueued_time_utc, now())) < 10
        assert 40 < seconds_until(first.locked_until_utc, now()) < 65
        assert b"".join(second.body) == large
        assert second.message_id, "a message without id is given one"
        assert [str(item) for item in others] == [str(index) for index in range(30)]
        numbers = [number_of(item) for item in (first, second, *others)]
        assert numbers == list(range(numbers[0], numbers[0] + 32))
        for message in (first, second, *others):
            receiver.complete_message(message)
        with pytest.raises(sdk.MessageAlreadySettled):
            receiver.complete_message(first)


def seconds_until(when: datetime | None, now: datetime) -> float:
    assert when is not None
    return (when - now).total_seconds()


def number_of(message: ServiceBusReceivedMessage) -> int:
    assert message.sequence_number is not None
    return message.sequence_number


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def test_abandon_defer_and_dead_letter(client: ServiceBusClient, sender: Sender) -> None:
    """Each settlement does what it says, and the dead letter carries its reason."""
    sender("settle").send_messages([ServiceBusMessage(name) for name in ("abandon", "defer", "dead")])
    with client.get_queue_receiver("settle") as receiver:
        abandoned, deferred, dead = take(receiver, 3)
        receiver.abandon_message(abandoned)
        receiver.defer_message(deferred)
        receiver.dead_letter_message(dead, reason="Poison", error_description="schema mismatch")
        [again] = take(receiver, 1)
        assert (str(again), again.delivery_count) == ("abandon", 1)
        receiver.complete_message(again)
        [found] = receiver.receive_deferred_messages([number_of(deferred)])
        assert str(found) == "defer"
        assert receiver.renew_message_lock(found) > datetime.now(UTC)
        receiver.dead_letter_message(found, reason="Late", error_description="")
        with pytest.raises(sdk.MessageNotFoundError):
            receiver.receive_deferred_messages([number_of(deferred)])
    with client.get_queue_receiver("settle", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver:
        first, second = sorted(take(receiver, 2), key=str)
        assert (str(first), first.dead_letter_reason) == ("dead", "Poison")
        assert first.dead_letter_error_description == "schema mismatch"
        assert first.dead_letter_source == "settle"
        assert (str(second), second.dead_letter_reason) == ("defer", "Late")
        receiver.complete_message(first)
        receiver.complete_message(second)


def test_too_many_deliveries_end_in_the_dead_letter_queue(client: ServiceBusClient, sender: Sender) -> None:
    sender("delivery-count").send_messages(ServiceBusMessage("x"))
    with client.get_queue_receiver("delivery-count") as receiver:
        for count in range(2):
            [message] = take(receiver, 1)
            assert message.delivery_count == count
            receiver.abandon_message(message)
        assert receiver.receive_messages(1, max_wait_time=0.3) == []
    with client.get_queue_receiver("delivery-count", sub_queue="deadletter") as receiver:
        [message] = take(receiver, 1)
        assert message.dead_letter_reason == "MaxDeliveryCountExceeded"
        receiver.complete_message(message)


def test_an_expired_lock_is_lost_and_counts(client: ServiceBusClient, sender: Sender, broker: BrokerProcess) -> None:
    """Renewal keeps a lock beyond its duration; without it the message comes again, the old token is worth nothing."""
    sender("lock").send_messages(ServiceBusMessage("x"))
    with client.get_queue_receiver("lock") as receiver:
        [message] = take(receiver, 1)
        before = message.locked_until_utc
        assert before is not None
        broker.advance(20)
        assert receiver.renew_message_lock(message) > before
        broker.advance(20)
        assert broker.counts("lock")["locked"] == 1
        broker.advance(11)
        assert broker.counts("lock")["locked"] == 0
        with pytest.raises(sdk.MessageLockLostError):
            receiver.complete_message(message)
        [again] = take(receiver, 1)
        assert again.delivery_count == 1
        receiver.complete_message(again)


def test_an_expired_message_is_dead_lettered(client: ServiceBusClient, sender: Sender, broker: BrokerProcess) -> None:
    """The shorter of the message's and the entity's time to live counts."""
    messages = [ServiceBusMessage("short", time_to_live=timedelta(seconds=20)), ServiceBusMessage("long")]
    sender("expiry").send_messages(messages)
    broker.advance(21)
    assert broker.counts("expiry")["active"] == 1
    assert broker.counts("expiry")["deadLetter"] == 1
    with client.get_queue_receiver("expiry", sub_queue="deadletter", receive_mode="receiveanddelete") as receiver:
        assert [(str(item), item.dead_letter_reason) for item in take(receiver, 1)] == [
            ("short", "TTLExpiredException")
        ]
    broker.advance(3_600)
    assert broker.counts("expiry")["active"] == 0


def test_scheduled_messages_wait_and_can_be_cancelled(
    client: ServiceBusClient, sender: Sender, broker: BrokerProcess
) -> None:
    """By `schedule_messages` and by the property of a plain send."""
    at = broker.now() + timedelta(minutes=30)
    numbers = sender("schedule").schedule_messages([ServiceBusMessage("cancelled"), ServiceBusMessage("kept")], at)
    sender("schedule").send_messages(ServiceBusMessage("plain", scheduled_enqueue_time_utc=at))
    sender("schedule").cancel_scheduled_messages(numbers[0])
    with pytest.raises(sdk.MessageNotFoundError):
        sender("schedule").cancel_scheduled_messages(numbers[0])
    with client.get_queue_receiver("schedule") as receiver:
        peeked = receiver.peek_messages(5)
        assert [str(item) for item in peeked] == ["kept", "plain"]
        assert {item.state for item in peeked} == {ServiceBusMessageState.SCHEDULED}
        assert receiver.receive_messages(1, max_wait_time=0.3) == []
        broker.advance(1_900)
        due = take(receiver, 2)
        assert sorted(str(item) for item in due) == ["kept", "plain"]
        for message in due:
            receiver.complete_message(message)


def test_duplicates_within_the_window_are_dropped(sender: Sender, broker: BrokerProcess) -> None:
    """Accepted, but not stored; after the window the same id is a new message."""
    for _ in range(3):
        sender("duplicates").send_messages(ServiceBusMessage("x", message_id="same"))
    assert broker.counts("duplicates")["active"] == 1
    broker.advance(31)
    sender("duplicates").send_messages(ServiceBusMessage("x", message_id="same"))
    assert broker.counts("duplicates")["active"] == 2


def test_peek_pages_through_without_locking(client: ServiceBusClient, sender: Sender) -> None:
    sender("peek").send_messages([ServiceBusMessage(str(index)) for index in range(5)])
    with client.get_queue_receiver("peek", receive_mode="receiveanddelete") as receiver:
        assert [str(item) for item in receiver.peek_messages(3)] == ["0", "1", "2"]
        assert [str(item) for item in receiver.peek_messages(10)] == ["3", "4"]
        assert receiver.peek_messages(1) == []
        assert len(take(receiver, 5)) == 5


def test_forwarding(sender: Sender, broker: BrokerProcess) -> None:
    """What is sent to a forwarding queue arrives in the other."""
    sender("forwarding").send_messages(ServiceBusMessage("x"))
    assert broker.counts("forwarding")["active"] == 0
    assert broker.counts("forwarded")["active"] == 1


def test_an_unknown_entity_is_refused(connection_string: str) -> None:
    """With the error that the SDK raises for it against Azure."""
    client = ServiceBusClient.from_connection_string(connection_string, retry_total=0)
    with client, pytest.raises(sdk.ServiceBusAuthenticationError):
        client.get_queue_sender("nowhere").__enter__()


async def test_the_asyncio_sdk(connection_string: str, now: Callable[[], datetime]) -> None:
    """Send, batch, schedule, cancel, peek, renew, settle in every way, receive what was deferred."""
    async with AsyncClient.from_connection_string(connection_string, retry_total=0) as client:
        async with client.get_queue_sender("aio") as sender:
            batch = await sender.create_message_batch()
            for index in range(20):
                batch.add_message(ServiceBusMessage(str(index)))
            await sender.send_messages(batch)
            at = now() + timedelta(minutes=10)
            [number] = await sender.schedule_messages([ServiceBusMessage("later")], at)
            await sender.cancel_scheduled_messages(number)
        async with client.get_queue_receiver("aio", prefetch_count=20) as receiver:
            taken: list[ServiceBusReceivedMessage] = []
            while len(taken) < 20:
                more = await receiver.receive_messages(20, max_wait_time=5)
                assert more
                taken += more
            assert [str(item) for item in taken] == [str(index) for index in range(20)]
            await receiver.renew_message_lock(taken[0])
            await receiver.abandon_message(taken[1])
            await receiver.dead_letter_message(taken[2], reason="aio")
            await receiver.defer_message(taken[3])
            [peeked] = await receiver.peek_messages(1, sequence_number=taken[3].sequence_number or 0)
            assert peeked.state == ServiceBusMessageState.DEFERRED
            [deferred] = await receiver.receive_deferred_messages(taken[3].sequence_number or 0)
            await asyncio.gather(*(receiver.complete_message(item) for item in (taken[0], deferred, *taken[4:])))
            [again] = await receiver.receive_messages(1, max_wait_time=5)
            assert (str(again), again.delivery_count) == ("1", 1)
            await receiver.complete_message(again)
        async with client.get_queue_receiver("aio", sub_queue="deadletter") as receiver:
            [dead] = await receiver.receive_messages(1, max_wait_time=5)
            assert dead.dead_letter_reason == "aio"
            await receiver.complete_message(dead)
