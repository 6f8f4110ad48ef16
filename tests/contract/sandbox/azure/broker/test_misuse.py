"""Clients that break AMQP's rules, or ask for what is not simulated: the answer is the specification's.

https://docs.oasis-open.org/amqp/core/v1.0/amqp-core-transport-v1.0.html
"""

import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.azure.amqp import Properties, Rejected, Sections, Source, Target, build
from sandbox.azure.amqp.composites import encode_composite
from sandbox.azure.amqp.frames import AMQP_HEADER, encode_frame, frame_bytes
from sandbox.azure.amqp.link import Link
from sandbox.azure.amqp.performatives import Accepted, Attach, Begin, Flow, Transfer
from sandbox.azure.amqp.types import Described, Int, Symbol, Timestamp, ULong
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

SECOND = 1
IDLE_SECONDS = 1.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """A broker that gives clients up after a second."""
    broker = BrokerProcess(tmp_path_factory.mktemp("impatient"), "--idle-timeout", str(IDLE_SECONDS))
    broker.start()
    yield broker
    assert broker.stop() == 0


def condition(amqp: AmqpClient, link: Link) -> str | None:
    assert amqp.wait(lambda: link in amqp.errors)
    error = amqp.errors[link]
    return error.condition if error else None


def test_a_silent_client_is_closed_and_takes_no_more_messages(impatient: BrokerProcess) -> None:
    """The broker has announced the time-out; later messages go to a client that is alive."""
    with AmqpClient(impatient.port) as silent, AmqpClient(impatient.port) as alive:
        silent.receiver("secure", credit=10)
        assert alive.wait(lambda: alive.connection.opened)
        assert silent.connection.remote_idle_time_out == IDLE_SECONDS * 1000
        deadline = time.monotonic() + 2 * IDLE_SECONDS
        while time.monotonic() < deadline:
            alive.connection.heartbeat()
            alive.flush()
            time.sleep(0.1)
        receiver = alive.receiver("secure", credit=1)
        assert alive.send(alive.sender("secure"), text("x")) == Accepted()
        [(delivery, _)] = alive.receive(1)
        assert alive.settle(receiver, delivery, Accepted()) == Accepted()
        assert silent.wait(lambda: silent.closed_with is not None)
        assert silent.closed_with is not None
        assert silent.closed_with.condition == "amqp:connection:forced"
        assert silent.received == []
        assert not alive.connection.closed


def test_a_dead_client_gives_its_session_back(impatient: BrokerProcess) -> None:
    """The lock of its session ends with the connection, not when it runs out."""
    session = {Symbol("com.microsoft:session-filter"): "dead"}
    with AmqpClient(impatient.port) as silent, AmqpClient(impatient.port) as alive:
        assert silent.receiver("sessions", filter=session).attached
        assert condition(alive, alive.receiver("sessions", filter=session)) == "com.microsoft:session-cannot-be-locked"
        assert silent.wait(lambda: silent.closed_with is not None, 3)
    with AmqpClient(impatient.port) as other:
        assert other.receiver("sessions", filter=session).attached


def test_a_client_that_says_nothing_at_all_is_closed(impatient: BrokerProcess) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port)) as mute:
        mute.settimeout(5)
        received = bytearray()
        while data := mute.recv(1024):
            received += data
    assert not received, "before its header, the client's protocol is not known"


def test_messages_are_settled_first_whatever_a_sender_asks(amqp: AmqpClient) -> None:
    """The attach answers with what happens: the broker settles as soon as a message is durable."""
    link = amqp.session.attach_sender("second", Target("secure"), rcv_settle_mode=SECOND)
    assert amqp.wait(lambda: link.credit > 0)
    assert link.remote is not None
    assert link.remote.rcv_settle_mode == 0


def test_a_handle_in_use_ends_the_session_and_not_the_connection(amqp: AmqpClient) -> None:
    link = amqp.sender("secure")
    other = amqp.connection.begin()
    again = Attach("again", link.handle, False, 2, 0, Source(), Target("secure"), initial_delivery_count=0)
    amqp.session.write(again)
    assert condition(amqp, link) is None
    assert amqp.session.ended
    survivor = other.attach_receiver("survivor", Source("secure"))
    assert amqp.wait(lambda: survivor.attached)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (Source(dynamic=True), Target()),
        (Source(), Target(dynamic=True)),
        (Source(), Described(ULong(0x30), [[Symbol("amqp:local-transactions")]])),
    ],
    ids=["dynamic source", "dynamic target", "coordinator"],
)
def test_what_is_not_simulated_is_not_implemented(amqp: AmqpClient, source: Source, target: Target) -> None:
    if source.dynamic:
        link = amqp.session.attach_receiver("unknown", source)
    else:
        link = amqp.session.attach_sender("unknown", target)
    assert condition(amqp, link) == "amqp:not-implemented"


def test_a_filter_that_is_not_there_is_not_promised(amqp: AmqpClient) -> None:
    """AMQP 1.0, 3.5.3: the answer names the filters that are in place."""
    wanted = {
        Symbol("apache.org:selector-filter:string"): Described(Symbol("apache.org:selector-filter:string"), "a=1")
    }
    link = amqp.receiver("secure", filter=wanted)
    assert link.attached
    assert link.source is not None
    assert not link.source.filter


def test_a_transfer_to_another_entity_is_refused(amqp: AmqpClient) -> None:
    """Sending via one entity to another is part of transactions; the message must not stay in the first."""
    link = amqp.session.attach_sender(
        "via", Target("secure"), properties={"com.microsoft:transfer-destination-address": "send"}
    )
    assert condition(amqp, link) == "amqp:not-implemented"


TRANSACTION: Any = Described(ULong(0x34), [b"1", None])


def test_an_unknown_transaction_changes_nothing(amqp: AmqpClient, empty_queue: str) -> None:
    """Neither a message nor a settlement counts outside of the transaction that it names."""
    sender, receiver = amqp.sender(empty_queue), amqp.receiver(empty_queue, credit=2)
    transfer = Transfer(sender.handle, 0, b"t", 0, settled=False, state=TRANSACTION)
    amqp.connection.write(frame_bytes(encode_composite(transfer) + text("in the transaction"), amqp.session.channel))
    amqp.send(amqp.session.attach_sender("other", Target(empty_queue)), text("without"))
    [(delivery, message)] = amqp.receive(2, 0.3)
    assert message.body() == b"without"
    assert "amqp:transaction:unknown-id" in str(amqp.settle(receiver, delivery, TRANSACTION))
    answer = amqp.request(
        f"{empty_queue}/$management",
        {"lock-tokens": [uuid.UUID(bytes_le=delivery.tag)], "disposition-status": "completed"},
        operation="com.microsoft:update-disposition",
    )[0]
    assert answer["statusCode"] == 200, "it was still locked"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (build(b"", properties=Properties(message_id="x" * 129)), "com.microsoft:argument-out-of-range"),
        (build(b"", properties=Properties(group_id="x" * 129)), "com.microsoft:argument-out-of-range"),
        (
            build(b"", properties=Properties(group_id="a"), message_annotations={"x-opt-partition-key": "b"}),
            "amqp:not-allowed",
        ),
    ],
    ids=["message id", "session id", "partition key"],
)
def test_a_message_that_azure_cannot_store_is_rejected(
    amqp: AmqpClient, empty_queue: str, message: Sections, expected: str
) -> None:
    outcome = amqp.send(amqp.sender(empty_queue), message.encode())
    assert isinstance(outcome, Rejected)
    assert outcome.error is not None
    assert outcome.error.condition == expected


@pytest.mark.parametrize(
    ("node", "operation", "body"),
    [
        ("send", "peek-message", {"from-sequence-number": 0, "message-count": Int(0)}),
        ("send", "peek-message", {"from-sequence-number": 0, "message-count": Int(-1)}),
        ("orders/Subscriptions/all", "schedule-message", {"messages": [{"message": text("x")}]}),
        ("send/$DeadLetterQueue", "schedule-message", {"messages": [{"message": text("x")}]}),
        ("send", "schedule-message", {"messages": [{"message": text("x" * 200_000)}] * 2}),
        ("send", "enumerate-rules", {"skip": Int(0), "top": Int(1)}),
        ("rules/Subscriptions/managed", "enumerate-rules", {"skip": Int(-1), "top": Int(1)}),
        ("sessions", "get-message-sessions", {"last-updated-time": Timestamp(0), "skip": Int(-1), "top": Int(1)}),
    ],
)
def test_requests_out_of_range_are_refused(amqp: AmqpClient, node: str, operation: str, body: dict[str, Any]) -> None:
    answer, _ = amqp.request(f"{node}/$management", body, operation=f"com.microsoft:{operation}")
    assert answer["statusCode"] == 400
    assert answer["errorCondition"]


def test_nobody_receives_from_an_entity_that_forwards(amqp: AmqpClient) -> None:
    assert condition(amqp, amqp.receiver("forwarding")) == "amqp:not-allowed"


def test_a_sender_without_credit_is_detached(amqp: AmqpClient) -> None:
    """The session goes on, and what was sent within the credit is there."""
    link, receiver = amqp.sender("overdrawn"), amqp.receiver("overdrawn", snd_settle_mode=1)
    granted = link.credit
    for _ in range(granted + 600):
        link.send(b"", b"t", settled=True)
    assert condition(amqp, link) == "amqp:link:transfer-limit-exceeded"
    receiver.grant(granted + 600)
    assert amqp.drain(receiver)
    assert len(amqp.received) == granted
    assert amqp.sender("overdrawn").attached


@pytest.mark.parametrize(
    "frame",
    [Flow(0, 100, 0, 100, handle=77, link_credit=1, delivery_count=0), Transfer(77, 0, b"t", 0, settled=True)],
    ids=["flow", "transfer"],
)
def test_a_handle_without_link_ends_the_session(amqp: AmqpClient, frame: Flow | Transfer) -> None:
    link = amqp.sender("secure")
    amqp.session.write(frame)
    assert condition(amqp, link) is None
    assert amqp.session.ended


@pytest.mark.parametrize(
    ("frames", "channel"), [([Begin(None, 0, 100, 100, 100)], 0), ([], 5000)], ids=["begin before open", "channel"]
)
def test_the_order_and_the_channels_of_a_connection_hold(
    broker: BrokerProcess, frames: list[Begin], channel: int
) -> None:
    """A begin before the open, and a channel above the maximum, close the connection."""
    if frames:
        with socket.create_connection(("127.0.0.1", broker.port)) as raw:
            raw.settimeout(5)
            raw.sendall(AMQP_HEADER + encode_frame(frames[0]))
            received = bytearray()
            while data := raw.recv(1024):
                received += data
        assert b"amqp:connection:framing-error" in received
        return
    with AmqpClient(broker.port) as client:
        assert client.wait(lambda: client.connection.opened)
        client.connection.write(encode_frame(Begin(None, 0, 100, 100, 100), channel))
        assert client.wait(lambda: client.closed_with is not None)
        assert client.closed_with is not None
        assert client.closed_with.condition == "amqp:connection:framing-error"
