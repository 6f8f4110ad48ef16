"""What an environment comes to, from its golden expansion: resources, settings of its app, and who may do what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sandbox.deployment.environments import REFERENCE, outputs_of, resources_of

_ASSIGNMENT = "/providers/Microsoft.Authorization/roleAssignments/"
ROLES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "090c5cfd-751d-490a-894a-3ce6f1109419": "Azure Service Bus Data Owner",
    "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39": "Azure Service Bus Data Sender",
    "a638d3c7-ab3a-418d-83e6-5f17a39d4fde": "Azure Event Hubs Data Receiver",
    "2b629674-e913-4c01-ae53-ef4638d8f975": "Azure Event Hubs Data Sender",
    "26baccc8-eea7-41f1-98f4-1762cc7f685d": "Azure Relay Sender",
    "26e0b698-aa6d-4085-9386-aadae190014d": "Azure Relay Listener",
    "d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""The names of the roles that the templates assign (learn.microsoft.com, Azure built-in roles)."""
_QUIET = {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Insights/diagnosticSettings",
    "Microsoft.Web/sites/config",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/tableServices",
    "Microsoft.Storage/storageAccounts/managementPolicies",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
}
"""Parts of other resources, which are only counted."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource: its type without the provider's name, its name, and what of it decides size and behaviour."""

    kind: str
    name: str
    facts: str


@dataclass(frozen=True, slots=True)
class Right:
    """A role, whose it is (`app` or `package`), and on what."""

    role: str
    identity: str
    on: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """An environment by its name."""

    name: str
    resources: list[Resource]
    parts: int
    """Further resources that are parts of these: diagnostic settings, links, policies, role assignments."""
    settings: Mapping[str, str]
    rights: list[Right]

    @classmethod
    def read(cls, name: str) -> Self:
        """The environment `name`, one of `environments.names()`."""
        resources = resources_of(name)
        shown = [it for it in resources if it["type"] not in _QUIET]
        (settings,) = [it["properties"] for it in resources if it["name"].endswith("/appsettings")]
        return cls(
            name=name,
            resources=sorted(
                [*(Resource(_kind(it), it["name"], ", ".join(_facts(it))) for it in shown), *_beside(name)], key=str
            ),
            parts=len(resources) - len(shown),
            settings={key: _value(str(value)) for key, value in sorted(settings.items())},
            rights=sorted(map(_right, (it for it in resources if _ASSIGNMENT in it["id"])), key=str),
        )


def _beside(name: str) -> Iterator[Resource]:
    """What infra/deploy.py makes beside the resources of main.bicep: the availability test."""
    if test := outputs_of(name)["webTest"]:
        yield Resource(
            "Insights/webtests", test["name"], f"{len(test['locations'])} places, every {test['frequencySeconds']} s"
        )


def _kind(resource: dict[str, Any]) -> str:
    return str(resource["type"]).removeprefix("Microsoft.")


def _facts(resource: dict[str, Any]) -> Iterator[str]:
    properties: dict[str, Any] = resource.get("properties") or {}
    sku = resource.get("sku") or properties.get("sku") or {}
    if sku.get("name"):
        yield str(sku["name"]) + (f" x {sku['capacity']}" if sku.get("capacity") else "")
    if scale := (properties.get("functionAppConfig") or {}).get("scaleAndConcurrency"):
        yield f"{scale['instanceMemoryMB']} MB, at most {scale['maximumInstanceCount']} instances"
        yield from (f"{it['instanceCount']} always ready for {it['name']}" for it in scale["alwaysReady"])
    if properties.get("requiresSession"):
        yield f"sessions, {properties['maxSizeInMegabytes']} MB, lock {properties['lockDuration']}"
    if "partitionCount" in properties:
        yield f"{properties['partitionCount']} partitions"
    if properties.get("publicNetworkAccess") == "Disabled":
        yield "private"
    if properties.get("zoneRedundant"):
        yield "zone redundant"
    if "retentionInDays" in properties:
        yield f"{properties['retentionInDays']} days"
    if "severity" in properties:
        yield f"severity {properties['severity']}"


def _value(text: str) -> str:
    found = REFERENCE.fullmatch(text)
    return f"secret {found[2]} of the vault" if found else text


def _right(resource: dict[str, Any]) -> Right:
    properties = resource["properties"]
    scope = str(resource["id"]).partition(_ASSIGNMENT)[0].rpartition("/providers/Microsoft.")[2]
    identity = "package" if "-package:" in properties["principalId"] else "app"
    return Right(ROLES[properties["roleDefinitionId"].rpartition("/")[2]], identity, scope)
