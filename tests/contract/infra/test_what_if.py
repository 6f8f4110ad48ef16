"""What a deployment would change is shown; what Azure cannot change in place is refused before it is tried."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import example

GROUP = "/subscriptions/s/resourceGroups/g/providers/"


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


@pytest.fixture(autouse=True)
def own_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read infra/example.env into their shell, as the page says, can run the tests in it."""
    for name in example():
        monkeypatch.delenv(name, raising=False)


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
