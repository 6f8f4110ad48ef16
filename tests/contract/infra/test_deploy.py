"""deploy.py deploys a stack, takes away roles and nothing else, and does what the templates cannot say."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.bicep import ENVIRONMENTS, INFRA, Expansion

AZ = """#!/usr/bin/env bash
echo "$*" >> "$FOLDER/asked"
case "$*" in
  "stack group create"*"--name integration "*) cat "$FOLDER/stack.json" ;;
  "stack group create"*) echo '{}' ;;
  "stack group list"*) cat "$FOLDER/stacks.json" ;;
  "stack group show"*) cat "$FOLDER/stack.json" ;;
  "functionapp update-strategy config show"*) cat "$FOLDER/strategy.json" ;;
esac
case "$*" in "$FAILING"*) exit "${STATUS:-0}" ;; esac
"""
NO_PARTS: dict[str, dict[str, Any]] = {"webTest": {}, "monitorScope": {}}
SCOPE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/sb"
ROLE = f"{SCOPE}/providers/Microsoft.Authorization/roleAssignments/r"


def deploy(
    tmp_path: Path,
    *,
    detached: tuple[str, ...] = (),
    parts: dict[str, dict[str, Any]] | None = None,
    strategy: str = "Recreate",
    found: tuple[dict[str, str] | None, list[str]] = (None, []),
    deployed: dict[str, Any] | None = None,
    options: tuple[str, ...] = (),
    status: int = 0,
    failing: str = "",
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The script and what it asked of az. `found` are the app's strategy and the names of the stacks that are there."""
    outputs = {"functionAppName": "func", "functionAppUrl": "https://func", "updateStrategy": strategy}
    values = {name: {"value": value} for name, value in {**outputs, **NO_PARTS, **(parts or {})}.items()}
    stack = {"outputs": values, "detachedResources": [{"id": it} for it in detached]}
    stacks = [deployed or {"name": "other"}, *({"name": name} for name in found[1])]
    for name, content in (("stack", stack), ("strategy", found[0]), ("stacks", stacks)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "az").write_text(AZ, encoding="utf-8")
    (tmp_path / "az").chmod(0o755)
    script = str(INFRA / "deploy.py")
    done = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, script, "g", "infra/main.prod.bicepparam", "--outputs", str(tmp_path / "outputs"), *options],
        env={
            **os.environ,
            "FOLDER": str(tmp_path),
            "STATUS": str(status),
            "FAILING": failing,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, (tmp_path / "asked").read_text(encoding="utf-8").splitlines()


def test_a_deployment_is_a_stack_that_deletes_nothing(tmp_path: Path) -> None:
    """Not even what left the templates: a queue that is deleted is gone with its messages."""
    done, asked = deploy(tmp_path, detached=(f"{SCOPE}/queues/old",))
    assert done.returncode == 0
    (created,) = [line for line in asked if line.startswith("stack group create")]
    assert "--name integration --parameters infra/main.prod.bicepparam --tags digest=" in created
    assert "--action-on-unmanage detachAll --deny-settings-mode none --yes" in created
    assert not any("delete" in line for line in asked)
    assert f"? {SCOPE}/queues/old: no longer in the templates, and left as it is" in done.stdout
    assert (tmp_path / "outputs").read_text(encoding="utf-8") == "functionAppName=func\nfunctionAppUrl=https://func\n"


def test_what_has_not_changed_is_not_deployed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another deployment would restart the app; but what an interrupted one has left is done."""
    _, asked = deploy(tmp_path)
    (content,) = re.findall(r"--tags digest=(\w+)", "\n".join(asked))

    def again(state: str = "succeeded", options: tuple[str, ...] = ()) -> list[str]:
        (tmp_path / "asked").unlink()
        known = {"name": "integration", "provisioningState": state, "tags": {"digest": content}}
        done, asked = deploy(tmp_path, deployed=known, detached=(ROLE,), strategy="RollingUpdate", options=options)
        assert done.returncode == 0
        assert any(line.startswith(f"role assignment delete --ids {ROLE}") for line in asked)
        assert any("update-strategy config set" in line for line in asked)
        return [line for line in asked if line.startswith("stack group create")]

    assert again() == []
    assert len(again(options=("--always",))) == 1
    assert len(again(state="failed")) == 1
    monkeypatch.setenv("ERP_URL", "https://other.example.org")
    assert len(again()) == 1


def test_a_role_that_left_the_templates_is_taken_away(tmp_path: Path) -> None:
    """Whatever case Azure writes it in; it holds no data, and the next deployment would make it again."""
    lower = ROLE.lower()
    done, asked = deploy(tmp_path, detached=(ROLE, lower))
    assert [line for line in asked if "delete" in line] == [
        f"role assignment delete --ids {it}" for it in (ROLE, lower)
    ]
    assert done.stdout.count("the templates no longer give this role") == 2


def test_a_role_that_the_deployer_may_not_take_away_stops_nothing(tmp_path: Path) -> None:
    """Its condition names the roles of today: one that no template gives any more is for an owner to delete."""
    done, asked = deploy(tmp_path, detached=(ROLE,), strategy="RollingUpdate", status=1, failing="role assignment")
    assert done.returncode == 0
    assert f"an owner has to: az role assignment delete --ids {ROLE}\n" in done.stderr
    assert any("update-strategy config set" in line for line in asked)


@pytest.mark.parametrize(
    ("wanted", "found", "changed"),
    [
        ("Recreate", None, False),
        ("Recreate", {"type": "Recreate"}, False),
        ("RollingUpdate", None, True),
        ("RollingUpdate", {"type": "RollingUpdate"}, False),
        ("Recreate", {"type": "RollingUpdate"}, True),
    ],
)
def test_the_update_strategy_is_set_where_it_is_another_one(
    tmp_path: Path, wanted: str, found: dict[str, str] | None, changed: bool
) -> None:
    """An app that was never given one recreates its instances; one that has the right one is not restarted for it."""
    _, asked = deploy(tmp_path, strategy=wanted, found=(found, []))
    set_ = [line for line in asked if "update-strategy config set" in line]
    assert bool(set_) is changed
    assert all(line.endswith(f"--resource-group g --name func --type {wanted}") for line in set_)


@pytest.mark.parametrize(
    ("output", "stack", "template"),
    [
        ("webTest", "integration-web-test", "webtest.json"),
        ("monitorScope", "integration-monitor", "monitorscope.json"),
    ],
)
def test_a_part_comes_and_goes_with_its_parameter(tmp_path: Path, output: str, stack: str, template: str) -> None:
    """It has a stack of its own, with which it is deleted; nothing is asked for where there never was one."""
    _, asked = deploy(tmp_path, parts={output: {"name": "it", "count": 300}})
    (made,) = [line for line in asked if template in line]
    assert '"count": {"value": 300}' in made
    assert f"--name {stack} " in made
    (tmp_path / "asked").unlink()
    _, asked = deploy(tmp_path, found=(None, ["integration", stack]))
    (deleted,) = [line for line in asked if "stack group delete" in line]
    assert f"--name {stack} --action-on-unmanage deleteResources --yes" in deleted
    (tmp_path / "asked").unlink()
    _, asked = deploy(tmp_path, found=(None, ["integration"]))
    assert not any("delete" in line or template in line for line in asked)


def test_a_deployment_that_fails_stops_there(tmp_path: Path) -> None:
    """With the status of az, which has said why."""
    done, asked = deploy(tmp_path, status=3)
    assert (done.returncode, len(asked)) == (3, 1)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_production_is_asked_from_outside_and_alerts_on_it(environment: str) -> None:
    """main.bicep gives the test exactly its parameters; where there is no test there is no alert on it."""
    golden = Expansion.golden(environment)
    given = golden.content["outputs"]["webTest"]
    alerts = [it for it in golden.of("Microsoft.Insights/scheduledQueryRules") if it["name"].endswith("-unavailable")]
    asked = environment in ("staging", "prod")
    assert (bool(given), bool(alerts)) == (asked, asked)
    if asked:
        parameters = json.loads((INFRA / "webtest.json").read_text(encoding="utf-8"))["parameters"]
        assert given.keys() == parameters.keys()
        assert given["componentId"] == golden.one("Microsoft.Insights/components")["id"]
        assert given["url"].endswith("/api/health")
        assert given["frequencySeconds"] in parameters["frequencySeconds"]["allowedValues"]
        assert len(given["locations"]) >= 3


def test_the_script_runs_without_an_environment_of_its_own() -> None:
    """With the Python of a runner: nothing but the standard library is imported."""
    done = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-I", "-S", str(REPOSITORY / "infra" / "deploy.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
