"""What a deployment would change is shown; what Azure cannot change in place is refused before it is tried."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, Expansion

GROUP = "/subscriptions/s/resourceGroups/g/providers/"
CLIENT_ID = "20000000-0000-0000-0000-000000000002"


def run(tmp_path: Path, script: str, *arguments: str, answer: object) -> subprocess.CompletedProcess[str]:
    """One of our scripts, with a program in place of az that notes its arguments and prints `answer`."""
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    (tmp_path / "az").write_text(
        f'#!/usr/bin/env bash\necho "$*" > {tmp_path}/asked\ncat {tmp_path}/answer.json\n', encoding="utf-8"
    )
    (tmp_path / "az").chmod(0o755)
    return subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, str(REPOSITORY / "infra" / script), *arguments],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def modified(resource: str, path: str, before: object, after: object) -> dict[str, Any]:
    """A change as what-if words it, for a nested property as children."""
    head, _, tail = path.partition(".")
    leaf = {"path": tail, "propertyChangeType": "Modify", "before": before, "after": after, "children": None}
    delta = {"path": head, "propertyChangeType": "Modify", "before": None, "after": None, "children": [leaf]}
    return {"changeType": "Modify", "resourceId": GROUP + resource, "delta": [delta]}


def what_if(tmp_path: Path, *changes: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return run(tmp_path, "what_if.py", "g", "infra/main.test.bicepparam", answer={"changes": changes})


def test_drift_is_any_change_at_all(tmp_path: Path) -> None:
    """With --drift the status is 1 where an environment is not as the templates say; else a change is only shown."""
    change = modified("Microsoft.Insights/components/c", "properties.RetentionInDays", 30, 90)
    given = ("g", "infra/main.test.bicepparam", "--drift")
    assert what_if(tmp_path, change).returncode == 0
    drifted = run(tmp_path, "what_if.py", *given, answer={"changes": [change]})
    assert (drifted.returncode, "DRIFT: 1 resources" in drifted.stderr) == (1, True)
    unknown = {"changeType": "Deploy", "resourceId": GROUP + "Microsoft.Web/sites/s", "delta": None}
    unchanged = {"changeType": "NoChange", "resourceId": GROUP + "Microsoft.Web/sites/s", "delta": None}
    assert run(tmp_path, "what_if.py", *given, answer={"changes": [unknown, unchanged]}).returncode == 0


ONE_WAY = [
    ("Microsoft.ServiceBus/namespaces/sb", "sku.name", "Standard", "Premium"),
    ("Microsoft.ServiceBus/namespaces/sb/queues/work", "properties.requiresSession", True, False),
    ("Microsoft.EventHub/namespaces/e/eventhubs/h", "properties.partitionCount", 4, 8),
    ("Microsoft.Storage/storageAccounts/st", "sku.name", "Standard_LRS", "Standard_ZRS"),
    ("Microsoft.KeyVault/vaults/kv", "properties.softDeleteRetentionInDays", 7, 90),
    ("Microsoft.KeyVault/vaults/kv", "properties.enablePurgeProtection", True, None),
    ("Microsoft.Web/serverFarms/plan", "properties.zoneRedundant", False, True),
    ("Microsoft.EventHub/namespaces/e", "sku.capacity", 3, 1),
]


@pytest.mark.parametrize(("resource", "path", "before", "after"), ONE_WAY)
def test_one_way_changes_are_refused(tmp_path: Path, resource: str, path: str, before: object, after: object) -> None:
    """With the resource, the property, and what to do instead."""
    done = what_if(tmp_path, modified(resource, path, before, after))
    assert done.returncode == 1
    assert path in done.stderr
    assert resource.rpartition("/")[2] in done.stderr
    assert any(words in done.stderr for words in ("cannot be", "set throughputUnits = 3"))


@pytest.mark.parametrize(
    ("resource", "path", "before", "after"),
    [
        ("Microsoft.EventHub/namespaces/e", "sku.capacity", 1, 3),
        ("Microsoft.KeyVault/vaults/kv", "properties.enablePurgeProtection", None, True),
        ("Microsoft.ServiceBus/namespaces/sb/queues/work", "properties.maxDeliveryCount", 10, 20),
    ],
)
def test_other_changes_are_shown(tmp_path: Path, resource: str, path: str, before: object, after: object) -> None:
    """Resource and property, with the value before and after."""
    done = what_if(tmp_path, modified(resource, path, before, after))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"    {path}: {json.dumps(before)} -> {json.dumps(after)}" in done.stdout.splitlines()


def test_values_of_the_example_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Azure is asked: with the example's organisation every event would be answered with 403."""
    monkeypatch.setenv("DATAVERSE_ORGANISATION", "10000000-0000-0000-0000-000000000001")
    monkeypatch.setenv("ERP_URL", "https://erp.example.org")
    done = what_if(tmp_path)
    assert (done.returncode, (tmp_path / "asked").exists()) == (1, False)
    assert "DATAVERSE_ORGANISATION still as in infra/example.env" in done.stderr
    assert "ERP_URL" not in done.stderr


def test_what_is_made_is_listed_and_what_stays_is_not(tmp_path: Path) -> None:
    """A new environment has no property that could be one-way yet."""
    made = {"changeType": "Create", "resourceId": f"{GROUP}Microsoft.KeyVault/vaults/kv", "delta": None}
    kept = {"changeType": "NoChange", "resourceId": f"{GROUP}Microsoft.Storage/storageAccounts/st", "delta": []}
    done = what_if(tmp_path, made, kept)
    assert (done.returncode, done.stdout) == (0, "+ Microsoft.KeyVault/vaults kv\n")
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert "--resource-group g --parameters infra/main.test.bicepparam" in asked


def assigned(environment: str) -> list[dict[str, str]]:
    """The assignments of an environment as `az role assignment list` gives them, with the hash that Azure would use."""
    return [
        {
            "id": it["id"],
            "scope": it["id"].split("/providers/Microsoft.Authorization")[0].replace("dvint", "dvint0"),
            "roleDefinitionId": it["properties"]["roleDefinitionId"],
            "roleDefinitionName": "Role",
        }
        for it in Expansion.golden(environment).of("Microsoft.Authorization/roleAssignments")
        if "-package:" not in it["properties"]["principalId"]
    ]


def test_a_right_of_the_app_on_its_own_package_is_stale(tmp_path: Path) -> None:
    """Earlier releases had the package in the account that the app owns; whatever is left of that is named."""
    (package,) = [
        it
        for it in Expansion.golden("prod").of("Microsoft.Authorization/roleAssignments")
        if "-package:" in it["properties"]["principalId"]
    ]
    left = {
        "id": "left",
        "scope": package["id"].split("/providers/Microsoft.Authorization")[0],
        "roleDefinitionId": package["properties"]["roleDefinitionId"],
        "roleDefinitionName": "Role",
    }
    done = run(tmp_path, "stale_roles.py", "prod", CLIENT_ID, answer=[*assigned("prod"), left])
    assert (done.returncode, done.stdout.endswith("--ids left\n")) == (1, True)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_rights_of_the_templates_are_not_stale(tmp_path: Path, environment: str) -> None:
    """Nothing is named for deletion that the next deployment would make again."""
    done = run(tmp_path, "stale_roles.py", environment, CLIENT_ID, answer=assigned(environment))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_right_that_the_templates_no_longer_give_is_named(tmp_path: Path) -> None:
    """An earlier role on the queue, and one on a whole namespace: each with the command that deletes it."""
    queue = next(it for it in assigned("prod") if "/queues/" in it["scope"])
    receiver = queue | {"roleDefinitionId": "/x/4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0", "id": "receiver"}
    wide = queue | {"scope": queue["scope"].partition("/queues/")[0], "id": "wide"}
    done = run(tmp_path, "stale_roles.py", "prod", CLIENT_ID, answer=[*assigned("prod"), receiver, wide])
    assert done.returncode == 1
    assert done.stdout.endswith("az role assignment delete --ids receiver wide\n")
