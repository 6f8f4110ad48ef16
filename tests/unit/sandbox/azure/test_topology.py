"""Rendering infra/topology.json for the emulators."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.azure.topology import FABRIC, format_duration, parse_duration, render
from sandbox.repository import REPOSITORY


def topology(queue: dict[str, Any] | None = None, hub: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "serviceBus": {"queues": [{"name": "q", **(queue or {})}]},
        "eventHubs": {"hubs": [{"name": "h", "partitionCount": 2, **(hub or {})}]},
    }


def queue_properties(queue: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    rendered = render(topology(queue))
    return rendered.service_bus["UserConfig"]["Namespaces"][0]["Queues"][0]["Properties"], rendered.notes


def test_what_the_emulators_take_is_rendered_unchanged() -> None:
    properties, notes = queue_properties(
        {"lockDuration": "PT1M", "maxDeliveryCount": 10, "requiresSession": True, "requiresDuplicateDetection": True}
    )
    assert properties == {
        "LockDuration": "PT1M",
        "MaxDeliveryCount": 10,
        "RequiresSession": True,
        "RequiresDuplicateDetection": True,
        "DeadLetteringOnMessageExpiration": False,
    }
    assert notes == []


@pytest.mark.parametrize(
    ("name", "given", "rendered"),
    [
        ("defaultMessageTimeToLive", "P14D", "PT1H"),
        ("defaultMessageTimeToLive", "PT1M", "PT5M"),
        ("duplicateDetectionHistoryTimeWindow", "PT10M", "PT5M"),
        ("lockDuration", "PT1S", "PT5S"),
        ("maxDeliveryCount", 2000, 10),
    ],
)
def test_a_value_beyond_the_emulators_range_is_clamped_with_a_note(name: str, given: object, rendered: object) -> None:
    properties, notes = queue_properties({name: given})
    assert properties[name[0].upper() + name[1:]] == rendered
    assert notes == [f"queue q: {name} {given} is beyond what Microsoft's emulator takes; here {rendered}"]


def test_the_implicit_consumer_group_is_not_listed() -> None:
    rendered = render(topology(hub={"consumerGroups": ["$Default", "archive"]}))
    entity = rendered.event_hubs["UserConfig"]["NamespaceConfig"][0]["Entities"][0]
    assert entity == {"Name": "h", "PartitionCount": 2, "ConsumerGroups": [{"Name": "archive"}]}


def named(entities: list[dict[str, Any]]) -> list[str]:
    return [it["name"] for it in entities]


def test_the_projects_own_topology_is_rendered_into_files(tmp_path: Path) -> None:
    source = json.loads((REPOSITORY / "infra" / "topology.json").read_text(encoding="utf-8"))
    service_bus, event_hubs = render(source).write(tmp_path / "config")
    queues = json.loads(service_bus.read_text())["UserConfig"]["Namespaces"][0]["Queues"]
    hubs = json.loads(event_hubs.read_text())["UserConfig"]["NamespaceConfig"][0]["Entities"]
    endpoints = source["serviceEndpoints"]
    posted_to = [endpoints["queue"]["name"], endpoints["businessEvents"]["name"], source["webhooks"]["queue"]["name"]]
    assert [it["Name"] for it in queues] == [*named(source["serviceBus"]["queues"]), *posted_to]
    assert [it["Name"] for it in hubs] == [*named(source["eventHubs"]["hubs"]), FABRIC, endpoints["hub"]["name"]]
    (topic,) = json.loads(service_bus.read_text())["UserConfig"]["Namespaces"][0]["Topics"]
    assert (topic["Name"], [it["Name"] for it in topic["Subscriptions"]]) == (
        endpoints["topic"]["name"],
        [endpoints["topic"]["subscription"]],
    )


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT0S", timedelta()),
        ("PT1M30S", timedelta(seconds=90)),
        ("PT26H", timedelta(hours=26)),
    ],
)
def test_durations_are_read_and_written(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert format_duration(duration) == text


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "PT1X", "P1M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        parse_duration(text)
