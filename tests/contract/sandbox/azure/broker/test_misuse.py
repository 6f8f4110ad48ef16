"""Clients that break AMQP's rules, or ask for what is not simulated: the answer is the specification's.

https://docs.oasis-open.org/amqp/core/v1.0/amqp-core-transport-v1.0.html
"""

import socket
import time
from collections.abc import Iterator

import pytest

from sandbox.azure.amqp import Source, Target
from sandbox.azure.amqp.frames import AMQP_HEADER, encode_frame
from sandbox.azure.amqp.link import Link
from sandbox.azure.amqp.performatives import Accepted, Attach, Begin, Flow, Transfer
from sandbox.azure.amqp.types import Described, Symbol, ULong
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
