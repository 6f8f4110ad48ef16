"""Show what a deployment would change, and refuse what cannot be changed: python3 infra/what_if.py GROUP PARAMETERS.

Needs az, signed in; nothing else. Ends with 1 where a change is refused: some properties are one-way, so that deploying
another value fails in the middle or takes back what Azure has added under load. With --drift it also ends with 1 where
anything would change, because the environment is not as the templates say. Role assignments are not shown, because
their names depend on the identity, which what-if does not know.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEW_ENVIRONMENT = "cannot be changed in place: make a new environment, or keep the present value"
ANOTHER_QUEUE = "cannot be changed: make another queue, let this one run empty, then delete it"
ONE_WAY = {
    ("microsoft.servicebus/namespaces", "sku.name"): NEW_ENVIRONMENT,
    ("microsoft.servicebus/namespaces", "properties.premiumMessagingPartitions"): NEW_ENVIRONMENT,
    ("microsoft.servicebus/namespaces/queues", "properties.requiresSession"): ANOTHER_QUEUE,
    ("microsoft.servicebus/namespaces/queues", "properties.requiresDuplicateDetection"): ANOTHER_QUEUE,
    ("microsoft.servicebus/namespaces/queues", "properties.enablePartitioning"): ANOTHER_QUEUE,
    ("microsoft.eventhub/namespaces", "sku.name"): NEW_ENVIRONMENT,
    ("microsoft.eventhub/namespaces/eventhubs", "properties.partitionCount"): "cannot be changed: make another hub",
    ("microsoft.storage/storageaccounts", "sku.name"): NEW_ENVIRONMENT,
    ("microsoft.keyvault/vaults", "properties.softDeleteRetentionInDays"): NEW_ENVIRONMENT,
    ("microsoft.keyvault/vaults", "properties.enablePurgeProtection"): "cannot be taken back: keep protect = true",
    ("microsoft.web/serverfarms", "properties.zoneRedundant"): NEW_ENVIRONMENT,
}
"""Why a property of a resource, both as Azure names them, may not be given another value once it has one."""
UNITS = ("microsoft.eventhub/namespaces", "sku.capacity")
MARKS = {"Create": "+", "Modify": "~", "Delete": "-", "Deploy": "!"}
COMMAND = ["az", "deployment", "group", "what-if", "--no-pretty-print", "--only-show-errors"]
LEVEL = ["--validation-level", "ProviderNoRbac"]


@dataclass(frozen=True)
class Change:
    """One property of one resource; `resource` is `type name`, in the case that Azure gives."""

    kind: str
    resource: str
    path: str
    before: Any
    after: Any

    @property
    def refusal(self) -> str | None:
        """Why it must not be deployed; None if it may be."""
        where = (self.kind.lower(), self.path)
        if self.before is None:
            return None
        if where == UNITS:
            if self.after is not None and self.after >= self.before:
                return None
            return f"would take away units that Azure has added under load: set throughputUnits = {self.before}"
        return ONE_WAY.get(where)


def main() -> int:
    """Ask Azure, print the changes, and say which of them are refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("group", help="the resource group")
    parser.add_argument("--drift", action="store_true", help="end with 1 where anything would change")
    parser.add_argument("parameters", help="the parameter file, such as infra/main.test.bicepparam")
    given = parser.parse_args()
    if left := examples(os.environ):
        print(f"REFUSED: {', '.join(left)} still as in infra/example.env; fill in your own values.", file=sys.stderr)
        return 1
    asked = [*COMMAND, *LEVEL, "--resource-group", given.group, "--parameters", given.parameters]
    answer = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 -- az, without a shell
    if answer.returncode:
        return answer.returncode
    refused: list[Change] = []
    changed = 0
    for resource in json.loads(answer.stdout)["changes"]:
        if mark := MARKS.get(resource["changeType"]):
            changed += mark != "!"  # what-if cannot say of these whether they change
            kind, name = kind_and_name(resource["resourceId"])
            print(f"{mark} {kind} {name}")
            for change in changes(resource):
                print(f"    {change.path}: {json.dumps(change.before)} -> {json.dumps(change.after)}")
                refused += [change] if change.refusal else []
    for change in refused:
        print(f"REFUSED {change.resource}, {change.path}: {change.refusal}.", file=sys.stderr)
    if given.drift and changed:
        print(f"DRIFT: {changed} resources are not as the templates say.", file=sys.stderr)
    return 1 if refused or (given.drift and changed) else 0


def examples(environ: Mapping[str, str]) -> list[str]:
    """The variables that still have their value of infra/example.env; a name that anybody may use is none of them."""
    lines = (Path(__file__).resolve().parent / "example.env").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return [name for name, value in pairs if name != "AZURE_ENV_NAME" and environ.get(name) == value]


def changes(resource: dict[str, Any]) -> Iterator[Change]:
    """The properties of a resource that change, nested ones by their full path."""
    kind, name = kind_and_name(resource["resourceId"])

    def flat(delta: list[dict[str, Any]] | None, above: str) -> Iterator[Change]:
        for it in delta or []:
            path = f"{above}{it['path']}"
            if it.get("children"):
                yield from flat(it["children"], f"{path}.")
            elif it["propertyChangeType"] != "NoEffect":
                yield Change(kind, f"{kind} {name}", path, it.get("before"), it.get("after"))

    return flat(resource.get("delta"), "")


def kind_and_name(resource_id: str) -> tuple[str, str]:
    """`Microsoft.ServiceBus/namespaces/queues` and `sb/work` of a resource id."""
    provider, *parts = resource_id.rpartition("/providers/")[2].split("/")
    return "/".join([provider, *parts[::2]]), "/".join(parts[1::2])


if __name__ == "__main__":
    sys.exit(main())
