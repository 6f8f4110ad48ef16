"""What Azure's dialect of AMQP asks for and the SDKs hide: seen on a bare connection."""

import time
import uuid

import pytest

from sandbox.azure.amqp import Accepted, Error, Modified, Rejected, Released, Sections, build
from sandbox.azure.amqp.codec import encode
from sandbox.azure.amqp.message import BATCH_FORMAT, encode_batch
from sandbox.azure.amqp.performatives import DeliveryState
from sandbox.azure.amqp.types import Described, Symbol, Timestamp, UInt
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess

SESSION_FILTER = Symbol("com.microsoft:session-filter")
SETTLED = 1


def test_a_delivery_carries_its_lock_token(amqp: AmqpClient, empty_queue: str) -> None:
    """As delivery tag (little-endian GUID) and as delivery annotation; locked-until as message annotation."""
    assert amqp.send(amqp.sender(empty_queue), text("x")) == Accepted()
    receiver = amqp.receiver(empty_queue, credit=1)
    [(delivery, message)] = amqp.receive(1)
    token = uuid.UUID(bytes_le=delivery.tag)
    assert message.delivery_annotations.keys() == {"x-opt-lock-token"}
    assert message.delivery_annotations[Symbol("x-opt-lock-token")] == encode(token)
    assert isinstance(message.annotation("x-opt-locked-until"), Timestamp)
    assert message.annotation("x-opt-message-state") is None
    assert amqp.settle(receiver, delivery, Accepted()) == Accepted()


def test_settlements_are_answered_in_kind(amqp: AmqpClient, empty_queue: str) -> None:
    """Dead-lettering with a bare `rejected`, since one with an error means failure."""
    sender = amqp.sender(empty_queue)
    for body in "abcd":
        amqp.send(sender, text(body))
    receiver = amqp.receiver(empty_queue, credit=4)
    deliveries = [delivery for delivery, _ in amqp.receive(4)]
    dead_letter = Rejected(
        Error("com.microsoft:dead-letter", None, {Symbol("DeadLetterReason"): "r", Symbol("custom"): 5})
    )
    asked: list[DeliveryState] = [
        Accepted(),
        Modified(delivery_failed=True),
        Modified(undeliverable_here=True),
        dead_letter,
    ]
    answers = [amqp.settle(receiver, item, state) for item, state in zip(deliveries, asked, strict=True)]
    assert [type(answer) for answer in answers] == [Accepted, Modified, Modified, Rejected]
    assert answers[3] == Rejected(None)
    amqp.receiver(f"{empty_queue}/$deadletterqueue", credit=10, snd_settle_mode=SETTLED)
    [(_, dead)] = amqp.receive(1)
    assert dead.application_properties() == {"DeadLetterReason": "r", "custom": 5}
    assert dead.annotation("x-opt-deadletter-source") == empty_queue


def test_properties_are_changed_while_settling(amqp: AmqpClient, empty_queue: str) -> None:
    """Abandon and defer carry properties to modify, on the link and in `$management`; they last."""
    amqp.send(amqp.sender(empty_queue), build(b"x", application_properties={"kept": 1, "n": 0}).encode())
    receiver = amqp.receiver(empty_queue, credit=3)
    [(delivery, _)] = amqp.receive(1)
    amqp.settle(receiver, delivery, Modified(delivery_failed=True, message_annotations={Symbol("n"): 1}))
    [(delivery, message)] = amqp.receive(1)
    assert message.application_properties() == {"kept": 1, "n": 1}
    body = {"lock-tokens": [uuid.UUID(bytes_le=delivery.tag)], "properties-to-modify": {"n": 2}}
    node, operation = f"{empty_queue}/$management", "com.microsoft:update-disposition"
    answer, _ = amqp.request(node, body | {"disposition-status": "abandoned"}, operation=operation)
    assert answer["statusCode"] == 200
    [(delivery, message)] = amqp.receive(1)
    assert message.application_properties() == {"kept": 1, "n": 2}
    deferring = Modified(undeliverable_here=True, message_annotations={Symbol("why"): "later"})
    amqp.settle(receiver, delivery, deferring)
    wanted = {"sequence-numbers": [message.annotation("x-opt-sequence-number")], "receiver-settle-mode": UInt(0)}
    _, found = amqp.request(node, wanted, operation="com.microsoft:receive-by-sequence-number")
    deferred = Sections.parse(found["messages"][0]["message"])
    assert deferred.application_properties() == {"kept": 1, "n": 2, "why": "later"}


def test_released_is_not_counted_and_a_lost_lock_is_an_error(
    amqp: AmqpClient, empty_queue: str, broker: BrokerProcess
) -> None:
    amqp.send(amqp.sender(empty_queue), text("x"))
    receiver = amqp.receiver(empty_queue, credit=2)
    [(first, _)] = amqp.receive(1)
    assert amqp.settle(receiver, first, Released()) == Released()
    [(second, message)] = amqp.receive(1)
    assert message.delivery_count == 0
    broker.advance(61)
    answer = amqp.settle(receiver, second, Accepted())
    assert isinstance(answer, Rejected)
    assert answer.error is not None
    assert answer.error.condition == "com.microsoft:message-lock-lost"


def test_a_lock_outlives_its_link_and_connection(amqp: AmqpClient, empty_queue: str, broker: BrokerProcess) -> None:
    """A disposition for a detached link is ignored; the lock token is still good for $management."""
    amqp.send(amqp.sender(empty_queue), text("x"))
    receiver = amqp.receiver(empty_queue, credit=1)
    [(delivery, _)] = amqp.receive(1)
    receiver.detach()
    receiver.dispose(delivery.delivery_id, Accepted())
    amqp.flush()
    assert broker.counts(empty_queue)["locked"] == 1
    body = {"disposition-status": "completed", "lock-tokens": [uuid.UUID(bytes_le=delivery.tag)]}
    answer, _ = amqp.request(f"{empty_queue}/$management", body, operation="com.microsoft:update-disposition")
    assert answer["statusCode"] == 200
    answer, _ = amqp.request(f"{empty_queue}/$management", body, operation="com.microsoft:update-disposition")
    assert (answer["statusCode"], answer["errorCondition"]) == (410, "com.microsoft:message-lock-lost")


def test_batches_are_stored_as_a_whole_or_not_at_all(amqp: AmqpClient, broker: BrokerProcess) -> None:
    """One message without session makes a session queue refuse all three."""
    sender = amqp.sender("sessions")
    batch = [text("1", group_id="S"), text("2"), text("3", group_id="S")]
    answer = amqp.send(sender, encode_batch(batch), BATCH_FORMAT)
    assert isinstance(answer, Rejected)
    assert sum(broker.counts("sessions").values()) == 0


def test_a_message_that_is_too_large_is_rejected_and_the_link_stays(amqp: AmqpClient, empty_queue: str) -> None:
    sender = amqp.sender(empty_queue)
    assert sender.remote is not None
    assert sender.remote.max_message_size == 262_144
    answer = amqp.send(sender, text("x" * 300_000))
    assert isinstance(answer, Rejected)
    assert answer.error is not None
    assert answer.error.condition == "amqp:link:message-size-exceeded"
    assert amqp.send(sender, text("x")) == Accepted()


def test_a_broken_message_is_rejected(amqp: AmqpClient, empty_queue: str) -> None:
    assert isinstance(amqp.send(amqp.sender(empty_queue), b"\x00\x53\x73\xc0\x05\x01"), Rejected)


@pytest.mark.parametrize(
    ("address", "receiving", "condition"),
    [
        ("nowhere", True, "amqp:not-found"),
        ("nowhere", False, "amqp:not-found"),
        ("sessions", True, "amqp:not-allowed"),
        ("orders", True, "amqp:not-allowed"),
        ("protocol/$DeadLetterQueue", False, "amqp:not-allowed"),
        ("events/ConsumerGroups/nobody/Partitions/0", True, "amqp:not-found"),
        ("events/ConsumerGroups/$Default/Partitions/9", True, "com.microsoft:argument-out-of-range"),
    ],
)
def test_attaches_are_refused_with_azures_conditions(
    amqp: AmqpClient, address: str, receiving: bool, condition: str
) -> None:
    link = amqp.receiver(address) if receiving else amqp.sender(address)
    error = amqp.errors[link]
    assert error is not None
    assert error.condition == condition


def test_addresses_may_be_whole_urls_in_any_case(amqp: AmqpClient, empty_queue: str) -> None:
    sender = amqp.sender(f"amqps://localhost:5672/{empty_queue.upper()}")
    assert amqp.send(sender, text("x")) == Accepted()


def test_the_next_session_is_waited_for(amqp: AmqpClient) -> None:
    """The attach stays unanswered until a message makes a session available; then it names the session."""
    receiver = amqp.receiver("next-session", wait=False, filter={SESSION_FILTER: None})
    assert not amqp.wait(lambda: receiver.attached, seconds=0.3)
    amqp.send(amqp.sender("next-session"), text("x", group_id="S1"))
    assert amqp.wait(lambda: receiver.attached)
    assert receiver.source is not None
    assert receiver.source.filter == {SESSION_FILTER: "S1"}
    assert receiver.remote_properties["com.microsoft:locked-until-utc"] > 638_000_000_000_000_000
    receiver.grant(1)
    [(delivery, _)] = amqp.receive(1)
    assert amqp.settle(receiver, delivery, Accepted()) == Accepted()


def test_an_attach_given_up_takes_no_session(amqp: AmqpClient, broker: BrokerProcess) -> None:
    """Whether it timed out or was detached while waiting, the next message's session goes to another."""
    timed_out = amqp.receiver(
        "next-session", wait=False, filter={SESSION_FILTER: None}, properties={"com.microsoft:timeout": UInt(200)}
    )
    detached = amqp.receiver("next-session", wait=False, filter={SESSION_FILTER: None}, name="detached")
    assert amqp.wait(lambda: timed_out in amqp.errors)
    error = amqp.errors[timed_out]
    assert error is not None
    assert error.condition == "com.microsoft:timeout"
    detached.detach()
    amqp.send(amqp.sender("next-session"), text("x", group_id="S2"))
    receiver = amqp.receiver(
        "next-session", credit=1, filter={SESSION_FILTER: Described(SESSION_FILTER, None)}, name="third"
    )
    [(delivery, _)] = amqp.receive(1)
    assert amqp.settle(receiver, delivery, Accepted()) == Accepted()
    assert broker.counts("next-session")["active"] == 0


def test_the_end_of_a_session_lock_detaches_after_a_grace(amqp: AmqpClient, broker: BrokerProcess) -> None:
    """At once would cross an orderly close; the session is free at once all the same."""
    amqp.send(amqp.sender("session-lock"), text("x", group_id="G"))
    first = amqp.receiver("session-lock", credit=1, filter={SESSION_FILTER: "G"}, name="first")
    amqp.receive(1)
    broker.advance(31)
    second = amqp.receiver("session-lock", credit=1, filter={SESSION_FILTER: "G"}, name="second")
    assert second.attached
    [(delivery, message)] = amqp.receive(1)
    assert message.delivery_count == 1
    assert first not in amqp.errors
    began = time.monotonic()
    assert amqp.wait(lambda: first in amqp.errors, seconds=6)
    assert time.monotonic() - began > 1
    error = amqp.errors[first]
    assert error is not None
    assert error.condition == "com.microsoft:session-lock-lost"
    assert amqp.settle(second, delivery, Accepted()) == Accepted()


def test_a_lost_connection_frees_its_session(amqp: AmqpClient, broker: BrokerProcess) -> None:
    amqp.send(amqp.sender("next-session"), text("x", group_id="S3"))
    with AmqpClient(broker.port) as other:
        other.receiver("next-session", credit=1, filter={SESSION_FILTER: None})
        other.receive(1)
        other.lost = True  # no goodbye
    deadline = time.monotonic() + 5
    while not broker.counts("next-session")["active"]:
        assert time.monotonic() < deadline
    receiver = amqp.receiver("next-session", credit=1, filter={SESSION_FILTER: "S3"})
    [(delivery, message)] = amqp.receive(1)
    assert message.delivery_count == 0
    amqp.settle(receiver, delivery, Accepted())


def test_tokens_are_answered_per_entity(amqp: AmqpClient) -> None:
    """202 for what is there, however deep; 404 for what is not."""
    for name, status in (("protocol", 202), ("events/consumergroups/$default", 202), ("nowhere", 404)):
        answer, _ = amqp.request("$cbs", "token", operation="put-token", name=f"sb://localhost/{name}")
        assert answer["status-code"] == status
    assert answer["error-condition"] == "amqp:not-found"


def test_events_look_as_azures_do(amqp: AmqpClient) -> None:
    """Settled, empty tag, no header, annotations in Azure's order, filter echoed under its number."""
    assert amqp.send(amqp.sender("events/Partitions/3"), text("x")) == Accepted()
    selector = Described(Symbol("apache.org:selector-filter:string"), "amqp.annotation.x-opt-offset > '-1'")
    key = Symbol("apache.org:selector-filter:string")
    reader = amqp.receiver("events/ConsumerGroups/Archive/Partitions/3", credit=1, filter={key: selector})
    [(delivery, message)] = amqp.receive(1)
    assert (delivery.settled, delivery.tag) == (True, b"")
    assert not delivery.payload.startswith(b"\x00\x53\x70")
    assert list(message.message_annotations)[:4] == [
        "x-opt-sequence-number-epoch",
        "x-opt-sequence-number",
        "x-opt-offset",
        "x-opt-enqueued-time",
    ]
    assert reader.source is not None
    assert reader.source.filter == {key: Described(0x000000137000000A, selector.value)}


def test_drain_gives_credit_back(amqp: AmqpClient, empty_queue: str) -> None:
    """After what there was has been delivered."""
    amqp.send(amqp.sender(empty_queue), text("x"))
    receiver = amqp.receiver(empty_queue, snd_settle_mode=SETTLED)
    receiver.grant(10)
    receiver.request_drain()
    assert amqp.wait(lambda: receiver.credit == 0)
    assert len(amqp.received) == 1
    amqp.received.clear()


def test_draining_a_hub_gives_all_events_first(amqp: AmqpClient) -> None:
    """However many there are: the broker sends them in portions."""
    sender = amqp.sender("drained/Partitions/0")
    for _ in range(13):
        assert amqp.send(sender, encode_batch([text(str(index)) for index in range(100)]), BATCH_FORMAT) == Accepted()
    reader = amqp.receiver("drained/ConsumerGroups/$Default/Partitions/0")
    reader.grant(2_000)
    reader.request_drain()
    assert amqp.wait(lambda: reader.credit == 0)
    assert len(amqp.received) == 1_300


def test_bytes_that_are_not_amqp_end_only_their_connection(broker: BrokerProcess, amqp: AmqpClient) -> None:
    with AmqpClient(broker.port) as other:
        other.socket.sendall(b"GET / HTTP/1.1\r\n\r\n" + bytes(100))
        assert not other.wait(lambda: False, seconds=2)
        assert other.lost
    assert amqp.send(amqp.sender("protocol"), text("x")) == Accepted()
    amqp.receiver("protocol", credit=1, snd_settle_mode=SETTLED)
    assert len(amqp.receive(1)) == 1
