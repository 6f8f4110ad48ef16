"""Event Hub triggers (EventHubListener.cs, EventHubListener.PartitionProcessor.cs, BlobCheckpointStoreInternal.cs)."""

import uuid
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient

from tests.contract.sandbox.azure.host.processes import Broker, HostProcess, Hubs, StartHost, bodies, wait_until


@pytest.fixture(scope="module")
def settings(broker: Broker, storage: str) -> dict[str, str]:
    return {"EventHubs": broker.connection, "AzureWebJobsStorage": storage, "HUB": "events"}


@pytest.fixture(scope="module")
def events_host(run_host: StartHost, settings: dict[str, str]) -> Iterator[HostProcess]:
    host = run_host("events", "--name", "one", settings=settings)
    yield host
    assert host.stop() == 0


def metadata(storage: str, hub: str, partition: str) -> dict[str, str]:
    client = BlobServiceClient.from_connection_string(storage)
    name = f"localhost/{hub}/readers/checkpoint/{partition}"
    blob = client.get_blob_client("azure-webjobs-eventhub", name)
    return dict(blob.get_blob_properties().metadata or {}) if blob.exists() else {}


def test_a_batch_arrives_with_its_metadata(events_host: HostProcess, hubs: Hubs) -> None:
    """At most maxEventBatchSize (10); sequence numbers, offsets, naive times, user properties by index."""
    tag = uuid.uuid4().hex
    hubs.send("events", *(f"{tag}-{n}" for n in range(25)), partition="1")
    wait_until("all events", lambda: sum(body.startswith(tag) for body in bodies(events_host)) == 25)
    batches = [one for one in events_host.records("sink") if one["items"][0]["body"].startswith(tag)]
    assert max(len(one["items"]) for one in batches) <= 10
    items = [item for one in batches for item in one["items"]]
    assert [item["body"] for item in items] == [f"{tag}-{n}" for n in range(25)]
    assert [item["properties"]["number"] for item in items] == list(range(25))
    first = items[0]["sequence"]
    assert [item["sequence"] for item in items] == list(range(first, first + 25))
    assert "tzinfo" not in items[0]["enqueued"]
    context = batches[0]["context"]
    assert (context["PartitionId"], context["EventHubName"], context["ConsumerGroup"]) == ("1", "events", "readers")


def test_events_one_by_one(events_host: HostProcess, hubs: Hubs) -> None:
    """Cardinality one: in order, with their partition key."""
    hubs.send("singles", "a", "b", "c", key="k")
    seen = events_host.wait_for("one", 3)
    assert [(one["body"], one["key"]) for one in seen] == [("a", "k"), ("b", "k"), ("c", "k")]


def test_an_empty_event_fails_its_whole_batch_and_the_checkpoint_moves_on(events_host: HostProcess, hubs: Hubs) -> None:
    """As text it is dropped; bodies and SystemPropertiesArray then differ in length: AssertionError in the worker."""
    tag = uuid.uuid4().hex
    hubs.send("events", "", f"{tag}-lost", partition="0")
    wait_until("the failure", lambda: "AssertionError" in events_host.text())
    hubs.send("events", f"{tag}-next", partition="0")
    wait_until("the event after it", lambda: f"{tag}-next" in bodies(events_host))
    assert f"{tag}-lost" not in bodies(events_host)


def test_a_failing_batch_is_retried_then_checkpointed_all_the_same(
    events_host: HostProcess, hubs: Hubs, storage: str
) -> None:
    """@app.retry runs it again in memory, counting; after the last retry the batch is skipped, as in Azure."""
    hubs.send("failures", "x")
    seen = events_host.wait_for("failing", 3)
    assert [(one["retry"], one["limit"]) for one in seen] == [(0, 2), (1, 2), (2, 2)]
    assert seen[1]["at"] - seen[0]["at"] > 0.9
    wait_until("the checkpoint", lambda: metadata(storage, "failures", "0").get("sequencenumber") == "0")
    hubs.send("failures", "y")
    assert events_host.wait_for("failing", 4)[3]["bodies"] == ["y"]


def test_a_host_that_is_started_again_goes_on_where_it_stopped(
    run_host: StartHost, settings: dict[str, str], hubs: Hubs, storage: str
) -> None:
    """Checkpoints lie where the .NET host has them; a killed host's partitions are its namesake's at once."""
    mine = settings | {"HUB": "again"}
    first = run_host("events", "--only", "sink", "--name", "same", settings=mine)
    hubs.send("again", "1", "2")
    wait_until("both events", lambda: bodies(first) == ["1", "2"])
    wait_until("the checkpoint", lambda: metadata(storage, "again", "0").get("sequencenumber") == "1")
    assert metadata(storage, "again", "0")["offset"]
    first.kill()
    hubs.send("again", "3")
    second = run_host("events", "--only", "sink", "--name", "same", settings=mine)
    wait_until("the new event", lambda: bodies(second) == ["3"])
    assert second.stop() == 0
    third = run_host("events", "--only", "sink", "--name", "other", settings=mine)
    hubs.send("again", "4")
    wait_until("the newest event", lambda: bodies(third) == ["4"])
