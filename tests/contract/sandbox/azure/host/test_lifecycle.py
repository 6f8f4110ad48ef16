"""Stopping, dying, and a broker that goes away."""

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.servicebus import ServiceBusMessage

from tests.contract.sandbox.azure.host.processes import PATIENCE, Broker, HostProcess, Senders, StartHost, wait_until


@pytest.fixture
def settings(broker: Broker) -> dict[str, str]:
    return {"ServiceBus": broker.connection, "SESSIONS": "others"}


@pytest.fixture
def host(run_host: StartHost, settings: dict[str, str]) -> Iterator[HostProcess]:
    """A host that serves a session queue of these tests' own."""
    one = run_host("messages", "--only", "in_session", settings=settings)
    yield one
    if one.process.poll() is None:
        one.kill()


@pytest.fixture(scope="module")
def steady_host(run_host: StartHost, broker: Broker) -> Iterator[HostProcess]:
    """A host for the tests in which it is the broker that goes away."""
    one = run_host("messages", "--only", "in_session", settings={"ServiceBus": broker.connection, "SESSIONS": "steady"})
    yield one
    assert one.stop() == 0


def order(session: str, **values: object) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps(values), session_id=session)


def test_sigterm_lets_running_functions_end_and_settles(
    host: HostProcess, run_host: StartHost, settings: dict[str, str], broker: Broker, senders: Senders
) -> None:
    """The running message is completed, the next one left uncounted; the session is free again; exit code 0."""
    session = uuid.uuid4().hex
    senders.send("others", order(session, n=1, sleep=2), order(session, n=2))
    wait_until("the function to run", lambda: host.invocations("in_session") == 1)
    assert host.stop() == 0
    assert [one["n"] for one in host.records("in_session", session=session)] == [1]
    assert (broker.queue("others")["active"], broker.queue("others")["locked"]) == (1, 0)
    another = run_host("messages", "--only", "in_session", settings=settings)
    another.wait_for("in_session", session=session, n=2, delivery=1)
    assert another.stop() == 0


def test_after_a_kill_the_next_host_goes_on(
    host: HostProcess, run_host: StartHost, settings: dict[str, str], senders: Senders
) -> None:
    """What was in hand comes again, counted."""
    session = uuid.uuid4().hex
    senders.send("others", order(session, n=1, sleep=2))
    wait_until("the function to run", lambda: host.invocations("in_session") == 1)
    host.kill()
    after = run_host("messages", "--only", "in_session", settings=settings)
    after.wait_for("in_session", session=session)
    assert after.stop() == 0


def test_a_broker_that_goes_away_is_found_again(steady_host: HostProcess, broker: Broker) -> None:
    """Killed and started again after a second: one line when it goes, and work goes on when it is back."""
    broker.restart(pause=1.0)
    senders = Senders(broker.connection)
    session = uuid.uuid4().hex
    senders.send("steady", order(session, n=1))
    senders.close()
    steady_host.wait_for("in_session", session=session)
    lines = [line for line in steady_host.text().splitlines() if "trying again" in line]
    assert len(lines) <= 2, lines
    assert "works again" in steady_host.text()


def test_dropped_connections_are_made_anew(steady_host: HostProcess, broker: Broker, senders: Senders) -> None:
    session = uuid.uuid4().hex
    broker.control("POST", "drop")
    senders.send("steady", order(session, n=1))
    steady_host.wait_for("in_session", session=session)


def test_function_timeout_ends_the_process(run_host: StartHost) -> None:
    """FunctionTimeout 3 s: exit code 75 and a line that says which function it was; somebody starts it again."""
    host = run_host("slow")
    with pytest.raises(OSError, match="onnection"):
        host.get("/api/slow")
    assert host.process.wait(PATIENCE) == 75
    assert "was exceeded by function 'slow'" in host.text()


def test_a_function_that_will_not_end_does_not_hold_up_the_stop(run_host: StartHost) -> None:
    """After the time of grace, here one second, the process ends, with exit code 0."""
    host = run_host("http", "--only", "sleep_in_thread", "--grace", "1")
    with ThreadPoolExecutor(1) as threads:
        request = threads.submit(host.get, "/api/sleep/60")
        wait_until("the call to run", lambda: host.invocations("sleep_in_thread"))
        start = time.monotonic()
        assert host.stop() == 0
        assert 1 <= time.monotonic() - start < 30
        assert isinstance(request.exception(), OSError)
    assert "1 invocations did not end in time" in host.text()


def test_a_namespace_is_reached_with_tls(run_host: StartHost, broker: Broker, senders: Senders) -> None:
    """A connection string without UseDevelopmentEmulator: the certificate is checked against SSL_CERT_FILE."""
    host = run_host("options", settings=broker.secure_settings)
    group = uuid.uuid4().hex
    senders.send("kept", ServiceBusMessage(json.dumps({"group": group})))
    host.wait_for("kept", group=group)
    assert "Connected to namespace" in host.text()
    assert host.stop() == 0
