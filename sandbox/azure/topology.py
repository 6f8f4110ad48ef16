"""Renders infra/topology.json into the Config.json formats of Microsoft's Service Bus and Event Hubs emulators.

The emulators allow less than Azure does (`reference`: Azure/azure-service-bus-emulator-installer and
Azure/azure-event-hubs-emulator-installer, schema of Config.json). A value beyond their range becomes the nearest one
that they accept, and a note says so. `python -m sandbox.azure.topology` writes the files of docs/emulators again.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

FABRIC = "fabric"
"""A hub that stands for the custom endpoint of an Eventstream: in Azure it is in Fabric, and in no topology of ours."""
TOPOLOGY = REPOSITORY / "infra" / "topology.json"

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")

_QUEUE_DURATIONS = {
    "defaultMessageTimeToLive": (timedelta(minutes=5), timedelta(hours=1)),
    "duplicateDetectionHistoryTimeWindow": (timedelta(seconds=5), timedelta(minutes=5)),
    "lockDuration": (timedelta(seconds=5), timedelta(minutes=5)),
}
_QUEUE_FLAGS = ("deadLetteringOnMessageExpiration", "requiresDuplicateDetection", "requiresSession")
_MAX_DELIVERY_COUNT = range(1, 11)
_PARTITION_COUNT = range(1, 33)


@dataclass(slots=True)
class EmulatorConfiguration:
    """The two documents, and notes on what had to be changed."""

    service_bus: dict[str, Any]
    event_hubs: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> list[Path]:
        """Write both documents below `folder`; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / "servicebus.Config.json", folder / "eventhubs.Config.json"]
        for path, document in zip(paths, (self.service_bus, self.event_hubs), strict=True):
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        return paths


def render(topology: Mapping[str, Any]) -> EmulatorConfiguration:
    """The emulators' documents for a topology as in infra/topology.json."""
    notes: list[str] = []
    endpoints = topology.get("serviceEndpoints", {})
    posted_to = [endpoints[kind] for kind in ("queue", "businessEvents") if kind in endpoints]
    queues = [_queue(queue, notes) for queue in topology["serviceBus"]["queues"]]
    queues += [_queue(it["options"] | {"name": it["name"]}, notes) for it in posted_to]
    if "webhooks" in topology:
        queues.append(_queue(topology["webhooks"]["queue"], notes))
    hubs = [_hub(_with_groups(hub, topology), notes) for hub in topology["eventHubs"]["hubs"]]
    if "fabric" in topology.get("sinks", {}):
        hubs.append(_hub({"name": FABRIC, "partitionCount": 4}, notes))
    topics = []
    if "topic" in endpoints:
        topics.append(_topic(endpoints["topic"], notes))
    if "hub" in endpoints:
        hubs.append(_hub(endpoints["hub"] | {"consumerGroups": [endpoints["hub"]["consumerGroup"]]}, notes))
    return EmulatorConfiguration(
        service_bus={
            "UserConfig": {
                "Namespaces": [{"Name": "sbemulatorns", "Queues": queues, "Topics": topics}],
                "Logging": {"Type": "Console"},
            }
        },
        event_hubs={
            "UserConfig": {
                "NamespaceConfig": [{"Type": "EventHub", "Name": "emulatorNs1", "Entities": hubs}],
                "LoggingConfig": {"Type": "Console"},
            }
        },
        notes=notes,
    )


def optional_settings() -> dict[str, str]:
    """The app's settings for what is an option in Azure: what others post to, webhooks, and sinks."""
    topology = json.loads(TOPOLOGY.read_text(encoding="utf-8"))
    options = [*topology["serviceEndpoints"].values(), topology["webhooks"], *topology["sinks"].values()]
    return {name: value for option in options for name, value in option["settings"].items()}


def _with_groups(hub: Mapping[str, Any], topology: Mapping[str, Any]) -> Mapping[str, Any]:
    """A hub with the consumer groups of options that read it."""
    options = [*topology.get("sinks", {}).values(), *([topology["webhooks"]] if "webhooks" in topology else [])]
    more = [it["consumerGroup"] for it in options if it["hub"] == hub["name"]]
    return {**hub, "consumerGroups": [*hub.get("consumerGroups", []), *more]}


def _queue(queue: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, (lowest, highest) in _QUEUE_DURATIONS.items():
        if name in queue:
            wanted = parse_duration(queue[name])
            given = min(max(wanted, lowest), highest)
            if given != wanted:
                notes.append(_note(f"queue {queue['name']}", name, queue[name], format_duration(given)))
            properties[_pascal(name)] = format_duration(given)
    for name in _QUEUE_FLAGS:
        properties[_pascal(name)] = bool(queue.get(name, False))
    properties["MaxDeliveryCount"] = _within(
        _MAX_DELIVERY_COUNT, f"queue {queue['name']}", "maxDeliveryCount", queue.get("maxDeliveryCount", 10), notes
    )
    return {"Name": queue["name"], "Properties": properties}


def _topic(topic: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """A topic with the app's subscription. The emulators take other options of a subscription than of a queue."""
    subscription = _queue(topic["options"] | {"name": topic["subscription"]}, notes)
    del subscription["Properties"]["RequiresDuplicateDetection"]
    return {
        "Name": topic["name"],
        "Properties": {
            "DefaultMessageTimeToLive": subscription["Properties"]["DefaultMessageTimeToLive"],
            "RequiresDuplicateDetection": False,
        },
        "Subscriptions": [subscription],
    }


def _hub(hub: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    partitions = _within(_PARTITION_COUNT, f"hub {hub['name']}", "partitionCount", hub["partitionCount"], notes)
    # $Default is always there and may not be listed.
    groups = [{"Name": name} for name in hub.get("consumerGroups", []) if name.lower() != "$default"]
    # Microsoft's emulator does not know this key and keeps events for an hour; this broker uses it.
    retention = {"RetentionTimeInHours": hub["retentionTimeInHours"]} if "retentionTimeInHours" in hub else {}
    return {"Name": hub["name"], "PartitionCount": partitions, "ConsumerGroups": groups, **retention}


def _within(allowed: range, where: str, name: str, wanted: int, notes: list[str]) -> int:
    given = min(max(wanted, allowed.start), allowed.stop - 1)
    if given != wanted:
        notes.append(_note(where, name, wanted, given))
    return given


def _note(where: str, name: str, wanted: object, given: object) -> str:
    return f"{where}: {name} {wanted} is beyond what Microsoft's emulator takes; here {given}"


def _pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def parse_duration(text: str) -> timedelta:
    """An ISO 8601 duration of days, hours, minutes and seconds, such as P14D or PT1M30S."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT1M or P14D")
    days, hours, minutes, seconds = (float(part) if part else 0.0 for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The ISO 8601 form of a duration, in whole seconds."""
    hours, rest = divmod(duration.days * 86_400 + duration.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if amount]
    return "PT" + ("".join(parts) or "0S")


if __name__ == "__main__":
    configuration = render(json.loads(TOPOLOGY.read_text(encoding="utf-8")))
    configuration.write(REPOSITORY / "docs" / "emulators")
    sys.stderr.writelines(f"note: {note}\n" for note in configuration.notes)
