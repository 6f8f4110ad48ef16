"""Event hubs and consumer groups in the administration API: EventHubDescription and ConsumerGroupDescription.

https://learn.microsoft.com/rest/api/eventhub/event-hubs-management-rest
"""

import re
from collections.abc import Mapping

from sandbox.azure.broker.entities.eventhub import EventHub
from sandbox.azure.broker.errors import not_found
from sandbox.azure.broker.http.atom import INSTANCE, SERVICE_BUS, Markup, Node, element, inner, local_name, timestamp
from sandbox.azure.broker.http.settings import check_name
from sandbox.azure.broker.namespace import Namespace

HUB, GROUP = "EventHubDescription", "ConsumerGroupDescription"
Named = tuple[str, str, str]  # path, title, description

_GROUP = re.compile(r"(.+)/consumergroups/([^/]+)", re.IGNORECASE)
_GROUPS = re.compile(r"(.+)/consumergroups", re.IGNORECASE)
_DAY_MS = 86_400_000
_MOST_PARTITIONS, _MOST_DAYS = 32, 7  # the Standard tier's
_ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
_HUB_SETTINGS = frozenset({"MessageRetentionInDays", "PartitionCount", "Status"})
_READ_ONLY = frozenset({"PartitionIds", "CreatedAt", "UpdatedAt", "SizeInBytes", "EventHubPath", "Name"})
_KEPT = frozenset({"UserMetadata"})


class HubAdministration:
    """The hubs of one namespace: made and changed at run time as entities of Service Bus are, and kept in the file."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def listing(self, path: str) -> list[Named] | None:
        """What the path lists: hubs, or the consumer groups of one; None for any other path."""
        if path.lower() == "$resources/eventhubs":
            return [_described(hub) for hub in self._namespace.hubs.values()]
        found = _GROUPS.fullmatch(path)
        return (
            None
            if found is None
            else [_group(self._hub(found[1]), name) for name in sorted(self._hub(found[1]).groups)]
        )

    def one(self, path: str) -> Named | None:
        """The hub or consumer group at the path; None where no hub has that name."""
        if found := _GROUP.fullmatch(path):
            hub = self._hub(found[1])
            if found[2].lower() not in hub.groups:
                raise not_found(path)
            return _group(hub, found[2])
        hub_there = self._namespace.hubs.get(path.lower())
        return None if hub_there is None else _described(hub_there)

    def put(self, path: str, description: Node, *, changes: bool) -> Named | None:
        """Creates or changes a hub or consumer group; None when the description is of something else."""
        kind = local_name(description)
        if kind not in {HUB, GROUP}:
            return None
        given = {local_name(node): inner(node) for node in description}
        allowed = _READ_ONLY | _KEPT | (_HUB_SETTINGS if kind == HUB else frozenset())
        for name in given:
            if name not in allowed:
                raise ValueError(f"'{name}' is not a property of a {kind}, or not one that the broker has.")
        if kind == GROUP:
            return self._put_group(path, given, changes=changes)
        return self._put_hub(path, given, changes=changes)

    def _put_hub(self, path: str, given: Mapping[str, str], *, changes: bool) -> Named:
        if given.get("Status", "Active") != "Active":
            raise ValueError(f"The Status '{given['Status']}' of an event hub is not simulated.")
        days = _number(given, "MessageRetentionInDays", _MOST_DAYS)
        retention = None if days is None else days * _DAY_MS
        kept = {name: given[name] for name in _KEPT if given.get(name)}
        partitions = _number(given, "PartitionCount", _MOST_PARTITIONS)
        if not changes:
            check_name(path)
            return _described(self._namespace.create_hub(path, partitions or 4, retention or 7 * _DAY_MS, kept))
        hub = self._hub(path)
        if partitions not in {None, len(hub.partitions)}:
            raise ValueError("The PartitionCount of an existing event hub cannot be changed.")
        self._namespace.change_hub(hub, retention, kept)
        return _described(hub)

    def _put_group(self, path: str, given: Mapping[str, str], *, changes: bool) -> Named:
        found = _GROUP.fullmatch(path)
        if found is None:
            raise ValueError(f"A ConsumerGroupDescription cannot be put at '{path}'.")
        if given.get("UserMetadata"):
            raise ValueError("UserMetadata of a consumer group is not simulated.")
        hub = self._hub(found[1])
        check_name(found[2], short=True)
        if changes and found[2].lower() not in hub.groups:
            raise not_found(path)
        if not changes:
            self._namespace.create_group(hub, found[2])
        return _group(hub, found[2])

    def delete(self, path: str) -> bool:
        """Deletes the hub or consumer group at the path; False where there is none."""
        if found := _GROUP.fullmatch(path):
            self._namespace.delete_group(self._hub(found[1]), found[2])
            return True
        hub = self._namespace.hubs.get(path.lower())
        if hub is not None:
            self._namespace.delete_hub(hub)
        return hub is not None

    def _hub(self, name: str) -> EventHub:
        hub = self._namespace.hubs.get(name.lower())
        if hub is None:
            raise not_found(name)
        return hub


def _described(hub: EventHub) -> Named:
    ids = Markup.of(element("d2p1:string", partition.index) for partition in hub.partitions)
    parts = (
        element("MessageRetentionInDays", max(1, -(-hub.retention // _DAY_MS))),
        element("Status", "Active"),
        element("CreatedAt", timestamp(hub.created_at)),
        element("UpdatedAt", timestamp(hub.created_at)),
        element("UserMetadata", hub.kept.get("UserMetadata")),
        element("PartitionCount", len(hub.partitions)),
        element("PartitionIds", ids, xmlns__d2p1=_ARRAYS),
    )
    return hub.name, hub.name, element(HUB, Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)


def _group(hub: EventHub, name: str) -> Named:
    created = timestamp(hub.created_at)
    parts = (element("CreatedAt", created), element("UpdatedAt", created))
    described = element(GROUP, Markup.of(parts), xmlns=SERVICE_BUS, xmlns__i=INSTANCE)
    return f"{hub.name}/ConsumerGroups/{name}", name, described


def _number(given: Mapping[str, str], name: str, most: int) -> int | None:
    text = given.get(name)
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise ValueError(f"The value '{text}' of {name} is out of range: it is 1 to {most}.")
    return int(text)
