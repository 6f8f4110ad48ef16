"""Sessions as the .NET processor works them (ServiceBusSessionProcessor.cs, SessionReceiverManager.cs)."""

import itertools
import json
import time
import uuid

from azure.servicebus import ServiceBusMessage

from tests.contract.sandbox.azure.host.processes import (
    Broker,
    HostProcess,
    Senders,
    StartHost,
    most_at_once,
    wait_until,
)


def order(session: str, **values: object) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps(values), session_id=session)


def test_a_session_is_worked_off_in_order(messages_host: HostProcess, senders: Senders) -> None:
    session = uuid.uuid4().hex
    senders.send("sessions", *(order(session, n=n, sleep=0.02) for n in range(10)))
    seen = messages_host.wait_for("in_session", 10, session=session)
    assert [one["n"] for one in seen] == list(range(10))
    assert all(earlier["at"] <= later["started"] for earlier, later in itertools.pairwise(seen))


def test_sessions_run_beside_each_other(messages_host: HostProcess, senders: Senders) -> None:
    """Sixteen slots: sixteen sessions are worked on at the same time."""
    group = uuid.uuid4().hex
    senders.send("sessions", *(order(f"{group}-{n}", group=group, sleep=3) for n in range(16)))
    seen = messages_host.wait_for("in_session", 16, group=group)
    assert most_at_once(seen) == 16


def test_a_slot_is_held_until_the_session_is_idle(messages_host: HostProcess, senders: Senders) -> None:
    """40 sessions with one message each through 16 slots: two waits of sessionIdleTimeout (1 s), not of a minute."""
    group = uuid.uuid4().hex
    start = time.time()
    senders.send("sessions", *(order(f"{group}-{n}", group=group) for n in range(40)))
    seen = messages_host.wait_for("in_session", 40, group=group)
    assert 1.8 < max(one["at"] for one in seen) - start < 20


def test_a_failure_comes_again_at_once_in_the_same_session(messages_host: HostProcess, senders: Senders) -> None:
    """Abandoned, delivered anew before the session's next message."""
    session = uuid.uuid4().hex
    senders.send("sessions", order(session, n=1, fail=2), order(session, n=2))
    seen = messages_host.wait_for("in_session", 4, session=session)
    assert [(one["n"], one["delivery"]) for one in seen] == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_a_handler_slower_than_the_idle_timeout_keeps_its_session(
    messages_host: HostProcess, broker: Broker, senders: Senders
) -> None:
    """Idle (1 s) means without a message, not with one; the session's lock (2 s) is renewed meanwhile."""
    session = uuid.uuid4().hex
    senders.send("sessions", order(session, n=1, sleep=2.8), order(session, n=2))
    seen = messages_host.wait_for("in_session", 2, session=session)
    assert [(one["n"], one["delivery"]) for one in seen] == [(1, 1), (2, 1)]
    wait_until("nothing to be left", lambda: broker.queue("sessions")["locked"] == 0)


def test_a_session_that_is_busy_for_longer_than_its_lock_is_renewed_comes_again(
    run_host: StartHost, broker: Broker, senders: Senders
) -> None:
    """Renewed for 2 s from its start, however many messages it has: its lock (2 s) ends in the midst of one of them.

    That takes as long as it takes: some 5 s.
    """
    settings = {
        "ServiceBus": broker.connection,
        "SESSIONS": "busy",
        "AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration": "00:00:02",
    }
    session = uuid.uuid4().hex
    senders.send("busy", *(order(session, n=n, sleep=0.7) for n in range(7)))
    host = run_host("messages", "--only", "in_session", settings=settings)
    seen = host.wait_for("in_session", 8, session=session)
    again = [one["n"] for one in seen if one["delivery"] > 1]
    assert again
    assert {one["n"] for one in seen} == set(range(7))
    wait_until("nothing to be left", lambda: broker.queue("busy")["active"] + broker.queue("busy")["locked"] == 0)
    assert host.stop() == 0


def test_waiting_for_a_session_costs_no_cpu(messages_host: HostProcess) -> None:
    """Slots wait in the broker: over an idle second the process takes under 15 ms."""
    time.sleep(1.1)
    before = messages_host.cpu_seconds()
    time.sleep(1)
    assert messages_host.cpu_seconds() - before < 0.015
