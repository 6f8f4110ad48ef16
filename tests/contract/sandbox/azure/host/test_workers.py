"""Several worker processes in one host (RpcFunctionInvocationDispatcher.cs, WorkerConfigFactory.cs)."""

import contextlib
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.servicebus import ServiceBusMessage

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.workers.pool import process_count
from tests.contract.sandbox.azure.host.processes import (
    PATIENCE,
    Broker,
    HostProcess,
    Senders,
    StartHost,
    alive,
    wait_until,
)


@pytest.fixture(scope="module")
def host(run_host: StartHost, broker: Broker) -> Iterator[HostProcess]:
    """Three workers; functionTimeout is four seconds."""
    settings = {"FUNCTIONS_WORKER_PROCESS_COUNT": "3", "ServiceBus": broker.connection, "SANDBOX_HOST_STATS": "1"}
    one = run_host("workers", settings=settings)
    yield one
    pids = workers(one)
    assert one.stop() == 0
    assert not any(alive(pid) for pid in pids)


def workers(host: HostProcess) -> list[int]:
    return [worker["pid"] for worker in host.get("/admin/stats").json()["workers"]]


def all_three(host: HostProcess) -> list[int]:
    pids: list[int] = wait_until("three workers", lambda: len(pids := workers(host)) == 3 and pids)
    return pids


def test_invocations_go_round_the_workers(host: HostProcess) -> None:
    """Nine requests one after the other: three for each, none in the host's own process."""
    answers = [host.post("/api/whoami", f"{n}") for n in range(9)]
    seen = [answer.json() for answer in answers]
    assert Counter(one["pid"] for one in seen) == Counter(dict.fromkeys(all_three(host), 3))
    assert host.process.pid not in workers(host)
    assert [one["body"] for one in seen] == [str(n) for n in range(9)]
    assert {answer.headers["x-back"] for answer in answers} == {"1"}
    assert f"[Function.whoami, {seen[0]['invocation']}] answering" in host.text()


def test_messages_go_round_the_workers_too(host: HostProcess, senders: Senders) -> None:
    group = uuid.uuid4().hex
    senders.send("spread", *(ServiceBusMessage(json.dumps({"group": group})) for _ in range(30)))
    seen = host.wait_for("spread", 30, group=group)
    assert Counter(one["pid"] for one in seen) == Counter(dict.fromkeys(all_three(host), 10))


def test_an_exception_in_a_worker_is_an_empty_500(host: HostProcess) -> None:
    answer = host.get("/api/boom")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "RuntimeError: a secret" in host.text()


def test_large_bodies_reach_a_worker(host: HostProcess) -> None:
    body = "x" * 3_000_000
    assert host.post("/api/whoami", body).json()["body"] == body


def test_the_counters_have_those_of_all_workers(host: HostProcess) -> None:
    """CPU time is that of host and workers, invocations are counted once."""
    before = host.get("/admin/stats").json()
    for _ in range(3):
        host.get("/api/whoami")
    after = host.get("/admin/stats").json()
    counted = [stats["functions"]["whoami"] for stats in (before, after)]
    assert counted[1]["invocations"] - counted[0]["invocations"] == 3
    assert counted[1]["functionSeconds"] > counted[0]["functionSeconds"]
    assert after["processSeconds"] > sum(worker["processSeconds"] for worker in after["workers"]) > 0


def test_function_timeout_kills_the_worker_and_not_the_host(host: HostProcess) -> None:
    """What runs beside it in the same worker fails too, the other workers do not notice; another worker is started."""
    before = set(all_three(host))
    with ThreadPoolExecutor(4) as threads:
        stuck = threads.submit(host.get, "/api/nap/30")
        wait_until("it to run", lambda: host.invocations("nap") == 1)
        time.sleep(1.5)
        beside = list(threads.map(host.get, ["/api/nap/3"] * 3))
        assert stuck.result().status_code == 500
    assert Counter(answer.status_code for answer in beside) == {200: 2, 500: 1}
    assert "was exceeded by function 'nap'" in host.text()
    assert len(set(all_three(host)) & before) == 2
    assert host.process.poll() is None


def test_a_worker_that_dies_is_replaced_and_its_message_comes_again_at_once(
    host: HostProcess, senders: Senders
) -> None:
    """The host holds the connection: it abandons what ran there, before the lock (5 s) ends."""
    group = uuid.uuid4().hex
    senders.send("spread", ServiceBusMessage(json.dumps({"group": group, "die": True})))
    first, second = host.wait_for("spread", 2, group=group)
    assert (first["delivery"], second["delivery"]) == (1, 2)
    assert second["at"] - first["at"] < 4.5
    assert first["pid"] not in all_three(host)


def test_workers_do_not_outlive_a_host_that_is_killed(run_host: StartHost, broker: Broker) -> None:
    settings = {"FUNCTIONS_WORKER_PROCESS_COUNT": "2", "ServiceBus": broker.connection}
    one = run_host("workers", "--only", "http", settings=settings)
    pids = workers(one)
    os.kill(one.process.pid, 9)
    one.process.wait(PATIENCE)
    wait_until("the workers to be gone", lambda: not any(alive(pid) for pid in pids))


def test_a_host_whose_workers_keep_dying_ends(run_host: StartHost, broker: Broker) -> None:
    """After three deaths for each worker the host recycles itself: exit code 75."""
    settings = {"FUNCTIONS_WORKER_PROCESS_COUNT": "2", "ServiceBus": broker.connection}
    one = run_host("workers", "--only", "http", settings=settings)

    def ended() -> bool:
        with contextlib.suppress(OSError):
            one.get("/api/die")
        return one.process.poll() is not None

    wait_until("the host to end", ended)
    assert one.process.returncode == 75
    assert "Worker processes keep ending" in one.text()


@pytest.mark.parametrize(("text", "count"), [(None, 1), ("1", 1), ("10", 10), ("0", 1), ("-3", 1)])
def test_the_count_is_read_as_the_host_reads_it(text: str | None, count: int) -> None:
    assert process_count(text) == count


@pytest.mark.parametrize(("text", "message"), [("11", "at most 10"), ("many", "must be a number")])
def test_a_count_that_the_host_refuses_stops_the_start(text: str, message: str) -> None:
    with pytest.raises(HostStartError, match=message):
        process_count(text)
