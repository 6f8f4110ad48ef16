"""The process around the broker: start, stop, taken ports, files, faults on request."""

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from sandbox.azure.amqp import Accepted, Rejected
from sandbox.azure.amqp.composites import decode_performative
from sandbox.azure.amqp.frames import SASL_FRAME, SASL_HEADER, encode_frame
from sandbox.azure.amqp.performatives import SaslInit
from sandbox.azure.amqp.types import Int, Symbol
from sandbox.azure.broker.config import ConfigError, duration, load, strip_comments
from sandbox.azure.broker.entities.clock import BrokerClock
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.entities.topic import Topic
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.message import BrokeredMessage
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.recovery import recover
from sandbox.azure.broker.rules.rule import Rule
from sandbox.repository import REPOSITORY
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient, text
from tests.contract.sandbox.azure.broker.broker_process import BrokerProcess, free_port

Launch = Callable[..., BrokerProcess]

SESSION_FILTER = Symbol("com.microsoft:session-filter")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts a broker with more arguments; it is ended after the test, whatever the outcome."""
    started: list[BrokerProcess] = []

    def start(*arguments: str) -> BrokerProcess:
        started.append(BrokerProcess(tmp_path, *arguments))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.kill()


def test_everything_survives_a_stop(launch: Launch) -> None:
    """Messages and their numbers, session state, seen ids, events, changed rules."""
    process = launch()
    with AmqpClient(process.port) as client:
        for name in ("a", "b"):
            client.send(client.sender("send"), text(name))
        client.send(client.sender("duplicates"), text("x", message_id="once"))
        client.send(client.sender("sessions"), text("x", group_id="S"))
        client.send(client.sender("events/Partitions/2"), text("event"))
        receiver = client.receiver("sessions", credit=1, filter={SESSION_FILTER: "S"})
        assert len(client.receive(1)) == 1
        body = {"session-id": "S", "session-state": b"kept"}
        client.request("sessions/$management", body, operation="com.microsoft:set-session-state")
        rules, rule = "rules/Subscriptions/managed/$management", {"rule-name": "$Default"}
        client.request(rules, rule, operation="com.microsoft:remove-rule")
        receiver.detach()
        client.flush()
    assert process.stop() == 0
    process.start()
    with AmqpClient(process.port) as client:
        client.receiver("send", credit=5, snd_settle_mode=1)
        assert [(item.body(), item.annotation("x-opt-sequence-number")) for _, item in client.receive(2)] == [
            (b"a", 1),
            (b"b", 2),
        ]
        client.send(client.sender("send"), text("c"))
        [(_, message)] = client.receive(1)
        assert message.annotation("x-opt-sequence-number") == 3, "sequence numbers go on"
        client.send(client.sender("duplicates"), text("x", message_id="once"))
        assert process.counts("duplicates")["active"] == 1
        client.receiver("sessions", filter={SESSION_FILTER: "S"})
        _, answer = client.request(
            "sessions/$management", {"session-id": "S"}, operation="com.microsoft:get-session-state"
        )
        assert answer == {"session-state": b"kept"}
        answer, _ = client.request(rules, {"skip": 0, "top": 9}, operation="com.microsoft:enumerate-rules")
        assert answer["statusCode"] == 204, "the removed rule stays away"
        client.receiver("events/ConsumerGroups/$Default/Partitions/2", credit=1)
        assert [item.body() for _, item in client.receive(1)] == [b"event"]
    assert process.stop() == 0


def test_ids_are_forgotten_in_time_after_a_restart_of_a_broker_whose_clock_was_moved(tmp_path: Path) -> None:
    """What tests had added to the time still counts: otherwise ids from the future would keep all later ones."""

    def started() -> Namespace:
        namespace = Namespace(Engine(Store(str(tmp_path / "db")), BrokerClock()))
        namespace.add_queue("q", QueueOptions(duplicate_window=30_000))
        recover(namespace)
        return namespace

    before = started()
    before.engine.clock.advance(3_600_000)
    before.send("q", BrokeredMessage.receive(text("x", message_id="early")))
    before.engine.store.close()
    after = started()
    for pause, taken in ((0, 2), (29_000, 2), (2_000, 3)):
        after.engine.clock.advance(pause)
        after.send("q", BrokeredMessage.receive(text("x", message_id="late")))
        assert len(after.queues["q"].messages) == taken


def test_entities_made_on_request_survive_and_deleted_ones_stay_away(tmp_path: Path) -> None:
    """With their options, rules and messages; an entity of Config.json is there again, empty."""

    def configured() -> Namespace:
        namespace = Namespace(Engine(Store(str(tmp_path / "db")), BrokerClock()))
        namespace.add_queue("configured", QueueOptions())
        recover(namespace)
        return namespace

    before = configured()
    topic = before.create("t", QueueOptions(), is_topic=True)
    assert isinstance(topic, Topic)
    rule = Rule.from_config("r", {"FilterType": "Sql", "SqlFilter": {"SqlExpression": "a = 1"}}, 5)
    before.create_subscription(topic, "s", QueueOptions(max_delivery_count=7), [rule])
    for name in ("kept", "gone"):
        before.create(name, QueueOptions(lock_duration=1234), is_topic=False)
    for name in ("kept", "gone", "configured"):
        before.send(name, BrokeredMessage.receive(text("x")))
    before.delete("gone")
    before.delete("configured")
    before.engine.store.close()
    after = configured()
    assert set(after.queues) == {"configured", "kept", "t/subscriptions/s"}
    assert {name: len(queue.messages) for name, queue in after.queues.items() if queue.messages} == {"kept": 1}
    assert after.queues["kept"].options.lock_duration == 1234
    subscription = after.topics["t"].subscriptions["s"]
    assert subscription.options.max_delivery_count == 7
    assert [(item.name, item.to_config()) for item in subscription.rules.values()] == [("r", rule.to_config())]


@pytest.mark.parametrize("which", ["--port", "--http-port", "--tls-port"])
def test_a_taken_port_is_named(tmp_path: Path, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = {name: free_port() for name in ("--port", "--http-port", "--tls-port")}
        ports = free | {which: taken.getsockname()[1]}
        command = [sys.executable, "-m", "sandbox.azure.broker", "--db", str(tmp_path / "x.sqlite")]
        command += ["--ca-dir", str(tmp_path)]
        command += [part for name, port in ports.items() for part in (name, str(port))]
        ended = subprocess.run(  # noqa: S603 -- our own command
            command, cwd=REPOSITORY, capture_output=True, timeout=60, check=False
        )
    assert ended.returncode == 2
    assert f"port {ports[which]}".encode() in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_bad_config_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"UserConfig": {"Namespaces": [{"Queues": [{}]}]}}')
    with pytest.raises(ConfigError, match=r"bad\.json"):
        load(path, Namespace(Engine(Store(":memory:"), BrokerClock())))


def test_a_name_that_is_taken_is_refused() -> None:
    """Both services share one port, so a hub and a queue of one name could not be distinguished."""
    namespace = Namespace(Engine(Store(":memory:"), BrokerClock()))
    namespace.add_queue("Same", QueueOptions())
    with pytest.raises(BrokerError, match="'same' exists already"):
        namespace.add_hub("same", 1, [])


def test_config_is_read_leniently() -> None:
    """Comments of both kinds, not in strings; trailing commas; ISO durations beyond the emulator's limits too."""
    text_with_comments = '{ // one\n "a": "http://x", /* two */ "b": [1, 2,], }'
    assert json.loads(strip_comments(text_with_comments)) == {"a": "http://x", "b": [1, 2]}
    assert [duration(text) for text in ("PT1M", "P14D", "PT1H30M", "PT0.5S")] == [60_000, 1_209_600_000, 5_400_000, 500]
    for wrong in ("1 minute", "PT", "P"):
        with pytest.raises(ValueError, match="not a duration"):
            duration(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Queues": [{"Name": "q", "Properties": {"LockDuraton": "PT1M"}}]},
        {"Queues": [{"Name": "q", "Propertys": {}}]},
        {"Topics": [{"Name": "t", "Properties": {"RequiresSession": True}}]},
        {
            "Topics": [
                {"Name": "t", "Subscriptions": [{"Name": "s", "Properties": {"RequiresDuplicateDetection": True}}]}
            ]
        },
        {"Topics": [{"Name": "t", "Subscriptions": [{"Name": "s", "Rules": [{"Name": "r", "Propertis": {}}]}]}]},
    ],
    ids=str,
)
def test_a_config_with_a_setting_that_nobody_knows_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A typing mistake does not end as an entity with defaults."""
    file = tmp_path / "Config.json"
    file.write_text(json.dumps({"UserConfig": {"Namespaces": [{"Name": "sbemulatorns"} | wrong]}}))
    with pytest.raises(ConfigError):
        load(file, Namespace(Engine(Store(":memory:"), BrokerClock())))


def test_faults_on_request(launch: Launch) -> None:
    """Server busy, delay, refusing connections, dropping them; wrong controls are refused."""
    process = launch()
    with AmqpClient(process.port) as client:
        sender = client.sender("send")
        process.call("POST", "/control/fault", {"server_busy": True})
        answer = client.send(sender, text("x"))
        assert isinstance(answer, Rejected)
        assert answer.error is not None
        assert answer.error.condition == "com.microsoft:server-busy"
        process.call("POST", "/control/fault", {"delay_ms": 300})
        number = sender.send(text("x"), b"t")
        assert not client.wait(lambda: number in client.outcomes, seconds=0.15)
        assert client.wait(lambda: number in client.outcomes)
        process.call("DELETE", "/control/fault")
        assert client.send(sender, text("x")) == Accepted()
        process.call("POST", "/control/drop")
        assert not client.wait(lambda: False, seconds=1)
        assert client.lost
    process.call("POST", "/control/fault", {"refuse": True})
    with AmqpClient(process.port) as client:
        assert not client.wait(lambda: client.connection.opened, seconds=1)
    process.call("DELETE", "/control/fault")
    with AmqpClient(process.port) as client:
        assert client.wait(lambda: client.connection.opened)
    assert process.call("GET", "/control/counters")["sent"] == 2
    with pytest.raises(urllib.error.HTTPError, match="400"):
        process.call("POST", "/control/clock", {"advance_seconds": "soon"})
    assert process.stop() == 0


def test_signatures_and_rights_are_checked_with_keys(launch: Launch) -> None:
    """A wrong key is refused at $cbs; a key without the right when the link is attached. Through the SDK."""
    from azure.servicebus import ServiceBusClient, ServiceBusMessage  # noqa: PLC0415 -- only here
    from azure.servicebus import exceptions as sdk  # noqa: PLC0415 -- as above

    process = launch("--key", "Root=secret", "--key", "Listener=other;Listen")
    good = process.connection_string_with("secret", "Root")
    with ServiceBusClient.from_connection_string(good, retry_total=0) as client, client.get_queue_sender("send") as s:
        s.send_messages(ServiceBusMessage("x"))

    def refused(connection_string: str) -> None:
        client = ServiceBusClient.from_connection_string(connection_string, retry_total=0)
        with client, pytest.raises(sdk.ServiceBusAuthenticationError):
            client.get_queue_sender("send").__enter__()

    with ThreadPoolExecutor() as pool:
        wrong = (process.connection_string_with("wrong", "Root"), process.connection_string_with("secret", "Who"))
        list(pool.map(refused, wrong))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        process.call("GET", "/$Resources/Queues")
    limited = process.connection_string_with("other", "Listener")
    with ServiceBusClient.from_connection_string(limited, retry_total=0) as client:
        with client.get_queue_receiver("send") as receiver:
            assert len(receiver.receive_messages(1, max_wait_time=3)) == 1
        with pytest.raises(sdk.ServiceBusAuthorizationError):
            client.get_queue_sender("send").__enter__()
    assert process.stop() == 0


def signed(name: str, value: str, path: str = "") -> str:
    """A SAS token for the namespace or a path in it."""
    resource, expiry = quote(f"sb://localhost/{path}", safe=""), int(time.time()) + 600
    digest = hmac.new(value.encode(), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest), safe="")
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={name}"


def test_a_key_opens_what_its_rights_and_its_audience_say(launch: Launch) -> None:
    """Administration needs Manage, scheduling needs Send, and a token holds for its resource and what is below it."""
    process = launch("--key", "Root=secret", "--key", "Listener=other;Listen", "--key", "Both=third;Send;Listen")

    def administer(name: str, value: str) -> int:
        url = f"http://localhost:{process.http_port}/$Resources/Queues"
        return requests.get(url, headers={"Authorization": signed(name, value)}, timeout=10).status_code

    assert [administer("Root", "secret"), administer("Both", "third"), administer("Listener", "other")] == [
        200,
        401,
        401,
    ]

    def put(client: AmqpClient, token: str, name: str) -> int:
        answer, _ = client.request("$cbs", token, operation="put-token", name=f"sb://localhost/{name}", type="jwt")
        return int(answer["status-code"])

    with AmqpClient(process.port) as client:
        assert put(client, signed("Root", "secret", "peek"), "send") == 401
        assert put(client, signed("Root", "secret", "send"), "send") == 202
    with AmqpClient(process.port) as client:
        assert put(client, signed("Listener", "other"), "send") == 202
        peeking = {"from-sequence-number": 0, "message-count": Int(1)}
        answer, _ = client.request("send/$management", peeking, operation="com.microsoft:peek-message")
        assert answer["statusCode"] == 204
        scheduling = {"messages": [{"message": text("x")}]}
        answer, _ = client.request("send/$management", scheduling, operation="com.microsoft:schedule-message")
        assert (answer["statusCode"], answer["errorCondition"]) == (401, "amqp:unauthorized-access")
        answer, _ = client.request("peek/$management", peeking, operation="com.microsoft:peek-message")
        assert answer["statusCode"] == 401
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("mechanism", "response", "passes"),
    [
        ("PLAIN", b"\0Root\0secret", True),
        ("PLAIN", b"\0Root\0wrong", False),
        ("PLAIN", b"nonsense", False),
        ("SCRAM-SHA-256", b"", False),
    ],
)
def test_sasl_takes_the_name_and_the_value_of_a_key(
    launch: Launch, mechanism: str, response: bytes, passes: bool
) -> None:
    """As clients without `$cbs` use it; what is refused gets the outcome 1, and the connection is closed."""
    process = launch("--key", "Root=secret")
    with socket.create_connection(("127.0.0.1", process.port)) as raw:
        raw.settimeout(5)
        raw.sendall(SASL_HEADER + encode_frame(SaslInit(mechanism, response), frame_type=SASL_FRAME))
        received = b""
        while b"\x00\x53\x44" not in received:
            received += raw.recv(1024)
        outcome, _ = decode_performative(received[received.index(b"\x00\x53\x44") :])
        assert outcome.code == (0 if passes else 1)
        if not passes:
            assert raw.recv(1024) == b""
    if passes:
        with AmqpClient(process.port, sasl=SaslInit(mechanism, response)) as client:
            assert client.send(client.sender("send"), text("x")) == Accepted()
    assert process.stop() == 0
