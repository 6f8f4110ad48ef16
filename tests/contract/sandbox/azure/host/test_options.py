"""host.json: its defaults, and options that are not (ServiceBusOptions.cs, EventHubOptions.cs, MessageProcessor.cs)."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusMessage

from sandbox.azure.host.functions import RetryOptions
from sandbox.azure.host.host_json import HostJson
from sandbox.azure.host.settings import AppSettings
from sandbox.azure.host.triggers.retries import retry_delay
from tests.contract.sandbox.azure.host.processes import Broker, HostProcess, Senders, StartHost, wait_until


@pytest.fixture(scope="module")
def host(run_host: StartHost, broker: Broker) -> Iterator[HostProcess]:
    one = run_host("options", settings={"ServiceBus": broker.connection})
    yield one
    assert one.stop() == 0


def order(**values: object) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps(values))


def test_without_auto_complete_a_message_comes_back_when_its_lock_ends(host: HostProcess, senders: Senders) -> None:
    """Nobody has settled it, so that it stays locked (here 2 s), though the function has returned."""
    group = uuid.uuid4().hex
    senders.send("kept", order(group=group))
    seen = host.wait_for("kept", 2, group=group)
    assert [one["delivery"] for one in seen] == [1, 2]
    assert seen[1]["at"] - seen[0]["at"] > 1


def test_a_failure_is_abandoned_at_once_also_without_auto_complete(host: HostProcess, senders: Senders) -> None:
    group = uuid.uuid4().hex
    senders.send("kept", order(group=group, fail=True))
    seen = host.wait_for("kept", 3, group=group)
    assert [one["delivery"] for one in seen] == [1, 2, 3]
    assert seen[2]["at"] - seen[0]["at"] < 2, "no lock was waited for"


def test_prefetched_messages_are_locked_before_their_turn(host: HostProcess, broker: Broker, senders: Senders) -> None:
    """With maxConcurrentCalls 1 and prefetchCount 3, four of six are taken while the first is worked on."""
    senders.send("ahead", *(order() for _ in range(6)))
    host.wait_for("ahead")

    def four_are_taken() -> bool:
        counts = broker.queue("ahead")
        return (counts["locked"], counts["active"]) == (4, 2)

    wait_until("four to be taken", four_are_taken)


def test_calls_of_one_session_run_beside_each_other_when_asked_for(host: HostProcess, senders: Senders) -> None:
    """MaxConcurrentCallsPerSession 2: a session's order is then lost."""
    session = uuid.uuid4().hex
    senders.send("pairs", *(ServiceBusMessage("x", session_id=session) for _ in range(2)))
    first, second = host.wait_for("in_pairs", 2, session=session)[:2]
    assert second["started"] < first["at"]


def test_a_batch_waits_until_it_is_large_enough(host: HostProcess, senders: Senders) -> None:
    """MinMessageBatchSize 3: three messages at once, two after maxBatchWaitTime (3 s)."""
    tag = uuid.uuid4().hex
    start = time.time()
    senders.send("gathered", *(ServiceBusMessage(f"{tag}-{n}") for n in range(3)))
    (batch,) = host.wait_for("gathered", bodies=[f"{tag}-{n}" for n in range(3)])
    assert batch["at"] - start < 3
    start = time.time()
    few = [f"{tag}-few-{n}" for n in range(2)]
    senders.send("gathered", *(ServiceBusMessage(body) for body in few))
    (batch,) = host.wait_for("gathered", bodies=few)
    assert batch["at"] - start > 2.9


def loaded(folder: Path, **sections: object) -> HostJson:
    (folder / "host.json").write_text(json.dumps({"version": "2.0", **sections}))
    return HostJson.load(folder / "host.json")


def test_defaults_are_those_of_the_extensions(tmp_path: Path) -> None:
    """Service Bus 5, Event Hubs 6, and functionTimeout of plans without a limit of five minutes."""
    options = loaded(tmp_path)
    bus, hubs = options.service_bus, options.event_hubs
    assert (bus.prefetch_count, bus.auto_complete, bus.max_lock_renewal) == (0, True, 300)
    assert (bus.max_concurrent_calls, bus.max_concurrent_sessions) == (16 * (os.cpu_count() or 1), 8)
    assert (bus.max_concurrent_calls_per_session, bus.session_idle_timeout) == (1, 60)
    assert (bus.max_batch_size, bus.min_batch_size, bus.max_batch_wait) == (1000, 1, 30)
    assert (hubs.max_batch_size, hubs.min_batch_size, hubs.max_wait, hubs.checkpoint_frequency) == (100, 1, 60, 1)
    assert (hubs.prefetch_count, hubs.from_start) == (300, True)
    assert (options.http.route_prefix, options.http.max_outstanding_requests) == ("api", -1)
    assert options.function_timeout == 1800


def test_settings_override_host_json(tmp_path: Path) -> None:
    """Whatever the case of their names; numbers and flags are read as such."""
    (tmp_path / "host.json").write_text(
        json.dumps({"version": "2.0", "extensions": {"serviceBus": {"prefetchCount": 7}}})
    )
    given = {
        "AzureFunctionsJobHost__extensions__ServiceBus__PrefetchCount": "9",
        "AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration": "00:00:03",
        "AzureFunctionsJobHost__extensions__serviceBus__autoCompleteMessages": "false",
    }
    bus = HostJson.load(tmp_path / "host.json", AppSettings(given).below("AzureFunctionsJobHost")).service_bus
    assert (bus.prefetch_count, bus.max_lock_renewal, bus.auto_complete) == (9, 3.0, False)


def test_names_match_in_any_case_and_minus_one_is_no_timeout(tmp_path: Path) -> None:
    """As .NET configuration reads them."""
    options = loaded(tmp_path, FunctionTimeout="-1", Extensions={"ServiceBus": {"MAXCONCURRENTCALLS": 3}})
    assert options.function_timeout is None
    assert options.service_bus.max_concurrent_calls == 3


def test_exponential_backoff_grows_from_minimum_to_maximum() -> None:
    """RandomizedExponentialBackoffStrategy.cs: minimum first, then doubling with 20 % of chance, never over maximum."""
    retry = RetryOptions(max_retries=5, delay=None, minimum=2.0, maximum=10.0)
    delays = [retry_delay(retry, count) for count in range(5)]
    assert delays[0] == 2.0
    assert 2 + 0.8 * 2 <= delays[1] <= 2 + 1.2 * 2
    assert 2 + 0.8 * 6 <= delays[2] <= 2 + 1.2 * 6
    assert delays[3:] == [10.0, 10.0]
