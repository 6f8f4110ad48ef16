"""Several hosts on one broker and one storage account, as when Azure scales out."""

import itertools
import json
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest
from azure.servicebus import ServiceBusMessage
from azure.storage.blob import ContainerClient

from tests.contract.sandbox.azure.host.processes import (
    Broker,
    HostProcess,
    Hubs,
    Record,
    Senders,
    StartHost,
    bodies,
    wait_until,
)

SESSIONS, EACH = 24, 4


@pytest.fixture(scope="module")
def on_queue(run_host: StartHost, broker: Broker) -> Iterator[list[HostProcess]]:
    settings = {"ServiceBus": broker.connection, "SESSIONS": "shared"}
    hosts = [run_host("messages", "--only", "in_session", "--name", name, settings=settings) for name in ("a", "b")]
    yield hosts
    for host in hosts:
        if host.process.poll() is None:
            assert host.stop() == 0


def work(hosts: list[HostProcess], group: str) -> list[Record]:
    """What the hosts have done for a group, each record with its host's number, by time."""
    done = [
        {**one, "host": number} for number, host in enumerate(hosts) for one in host.records("in_session", group=group)
    ]
    return sorted(done, key=lambda one: one["started"])


def send(senders: Senders, group: str, sleep: float) -> None:
    for n in range(EACH):
        body = json.dumps({"group": group, "n": n, "sleep": sleep})
        senders.send("shared", *(ServiceBusMessage(body, session_id=f"{group}-{one}") for one in range(SESSIONS)))


def test_two_hosts_share_a_session_queue(on_queue: list[HostProcess], senders: Senders) -> None:
    """Every message once; each session in order and on one host at a time; both hosts have a share."""
    group = uuid.uuid4().hex
    send(senders, group, sleep=0.05)
    wait_until("all messages", lambda: len(work(on_queue, group)) >= SESSIONS * EACH)
    done = work(on_queue, group)
    assert len(done) == SESSIONS * EACH
    assert {one["delivery"] for one in done} == {1}
    assert {one["host"] for one in done} == {0, 1}
    for session in {one["session"] for one in done}:
        turns = [one for one in done if one["session"] == session]
        assert [one["n"] for one in turns] == list(range(EACH))
        assert all(earlier["at"] <= later["started"] for earlier, later in itertools.pairwise(turns))


def test_a_host_takes_over_the_sessions_of_one_that_was_killed(on_queue: list[HostProcess], senders: Senders) -> None:
    """When their locks have ended (2 s); nothing is lost, and only what was in hand can come twice."""
    group = uuid.uuid4().hex
    send(senders, group, sleep=0.1)
    wait_until("the second to work", lambda: any(one["host"] for one in work(on_queue, group)))
    on_queue[1].kill()
    wanted = {(f"{group}-{one}", n) for one in range(SESSIONS) for n in range(EACH)}

    def seen() -> Counter[tuple[str, int]]:
        return Counter((one["session"], one["n"]) for one in work(on_queue, group))

    wait_until("all messages", lambda: set(seen()) == wanted)
    twice = [message for message, count in seen().items() if count > 1]
    assert len(twice) <= 16  # maxConcurrentSessions, one message each


@pytest.fixture
def on_hub(run_host: StartHost, broker: Broker, storage: str) -> Iterator[list[HostProcess]]:
    settings = {"EventHubs": broker.connection, "AzureWebJobsStorage": storage, "HUB": "shared-events"}
    hosts = [run_host("events", "--only", "sink", "--name", name, settings=settings) for name in ("a", "b")]
    yield hosts
    for host in hosts:
        if host.process.poll() is None:
            assert host.stop() == 0


def owners(storage: str) -> Counter[str]:
    """How many partitions of the hub each host has, by the blobs in which the .NET host writes it."""
    container = ContainerClient.from_connection_string(storage, "azure-webjobs-eventhub")
    blobs = container.list_blobs(name_starts_with="localhost/shared-events/readers/ownership/", include=["metadata"])
    return Counter((blob.metadata or {})["ownerid"] for blob in blobs)


def test_hosts_share_the_partitions_of_a_hub_and_take_over_after_a_kill(
    on_hub: list[HostProcess], hubs: Hubs, storage: str
) -> None:
    """Two partitions each, every event once; the survivor has all four when the ownerships have run out (here 3 s).

    Source: PartitionLoadBalancer.cs.
    """
    wait_until("two partitions each", lambda: sorted(owners(storage).values()) == [2, 2])
    before = [f"before-{partition}" for partition in range(4)]

    def shared() -> bool:
        seen = [bodies(host) for host in on_hub]
        return sorted(seen[0] + seen[1]) == before and len(seen[0]) == len(seen[1]) == 2

    for partition, body in enumerate(before):
        hubs.send("shared-events", body, partition=str(partition))
    wait_until("each host to have its two", shared)
    on_hub[1].kill()
    after = [f"after-{partition}" for partition in range(4)]
    for partition, body in enumerate(after):
        hubs.send("shared-events", body, partition=str(partition))
    wait_until("the survivor to have all", lambda: set(after) <= set(bodies(on_hub[0])))
    assert sorted(owners(storage).values()) == [4]
    assert Counter(bodies(on_hub[0])).most_common(1)[0][1] == 1
