"""Roles that the identity has and the templates do not give are named, with the command that deletes them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, Expansion

AZ = """#!/usr/bin/env bash
echo "$*" >> "$FOLDER/asked"
case "$1" in
  identity) echo '{"principalId": "p"}' ;;
  group) echo '{"id": "/subscriptions/s/resourceGroups/g"}' ;;
  rest) cat "$FOLDER/assigned.json" ;;
esac
"""
RECEIVER = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"


def stale_roles(tmp_path: Path, environment: str, assigned: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    """The script, where a program in place of az answers that the identity has these assignments."""
    (tmp_path / "assigned.json").write_text(json.dumps({"value": assigned}), encoding="utf-8")
    (tmp_path / "az").write_text(AZ, encoding="utf-8")
    (tmp_path / "az").chmod(0o755)
    return subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, str(REPOSITORY / "infra" / "stale_roles.py"), "g", environment],
        env={**os.environ, "FOLDER": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def assignment(name: str, role: str, scope: str) -> dict[str, Any]:
    """As Role Assignments - List For Scope answers."""
    return {"id": name, "properties": {"roleDefinitionId": f"/x/roleDefinitions/{role}", "scope": scope}}


def given(environment: str, *, to_package: bool = False) -> list[dict[str, Any]]:
    """What the templates give the app's identity, or the package's; with the hash in names that Azure would use."""
    return [
        assignment(
            it["id"],
            it["properties"]["roleDefinitionId"].rpartition("/")[2],
            it["id"].split("/providers/Microsoft.Authorization")[0].replace("dvint", "dvint0"),
        )
        for it in Expansion.golden(environment).of("Microsoft.Authorization/roleAssignments")
        if ("-package:" in it["properties"]["principalId"]) == to_package
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_rights_of_the_templates_are_not_stale(tmp_path: Path, environment: str) -> None:
    """Nothing is named for deletion that the next deployment would make again."""
    done = stale_roles(tmp_path, environment, given(environment))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_identity_is_asked_for_where_somebody_may_read(tmp_path: Path) -> None:
    """At the resource group, as the planner of a pipeline may read no more; above and below it are in the answer."""
    stale_roles(tmp_path, "prod", [])
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert "identity show --resource-group g --name id-dvint-prod --output json" in asked
    assert "/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments?" in asked
    assert "$filter=principalId eq 'p'" in asked


def test_a_right_that_the_templates_do_not_give_is_named(tmp_path: Path) -> None:
    """An earlier role on the queue, one on a whole namespace, and one that the package alone has."""
    queue = next(it["properties"]["scope"] for it in given("prod") if "/queues/" in it["properties"]["scope"])
    owner = "090c5cfd-751d-490a-894a-3ce6f1109419"
    wide = assignment("wide", owner, queue.partition("/queues/")[0])
    (package,) = given("prod", to_package=True)
    left = [assignment("receiver", RECEIVER, queue), wide, package | {"id": "package"}]
    done = stale_roles(tmp_path, "prod", [*given("prod"), *left])
    assert done.returncode == 1
    assert f"role {RECEIVER} on {queue}\n" in done.stdout
    assert done.stdout.endswith("az role assignment delete --ids receiver wide package\n")
