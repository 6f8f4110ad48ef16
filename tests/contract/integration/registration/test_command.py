"""`run.py dataverse` as people and pipelines call it: exit status, output, questions, files."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cli import dataverse
from integration.virtual_tables import sets
from integration.virtual_tables.csdl import metadata
from integration.virtual_tables.discovery import sets_in
from sandbox.repository import REPOSITORY
from tests.contract.integration.registration.declared import KEY
from tests.contract.sandbox.systems.dataverse_client import Dataverse
from tests.contract.sandbox.systems.stand_in import StandIn
from tests.contract.sandbox.systems.virtual_table import Service


@pytest.fixture
def app() -> Iterator[Service]:
    """An app that says what it serves as virtual tables."""
    served = [it for each in sets_in(sets).values() if (it := each.of("rest-erp")) is not None]
    one = Service(answers=[(200, metadata(served).encode())] * 20)
    yield one
    one.close()


@pytest.fixture
def sandbox(unprepared: StandIn, person: Dataverse, app: Service, tmp_path: Path) -> Path:
    """The folder of a sandbox with this Dataverse."""
    who = unprepared.control("GET", "environment").json()
    client = {"tenant": who["tenant_id"], "client_id": who["human"]["client_id"], "secret": who["human"]["secret"]}
    endpoints = {
        "dataverse": unprepared.url,
        "functions": app.url.removesuffix("/odata"),
        "webhook_key": KEY,
        "virtual_tables_key": "a-key-of-the-data-source",
        "checks": True,
        "dataverse_client": {"client_id": who["application"]["client_id"]},
        "dataverse_person": {**client, "authority": unprepared.url, "ca_file": str(unprepared.http.verify)},
    }
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    dataverse.arguments(parser)
    return dataverse.main(parser.parse_args([str(it) for it in arguments]))


def test_a_pipeline_plans_applies_the_plan_and_finds_no_drift(
    sandbox: Path, capsys: pytest.CaptureFixture[str], person: Dataverse
) -> None:
    """2 for changes, 1 for what nobody approved, 0 for done, 0 for no drift; then 2 for drift, with JSON."""
    plan, at = sandbox / "plan.json", ("--sandbox", sandbox)
    assert run("plan", *at, "--out", plan) == 2
    out = capsys.readouterr().out
    assert "  +   step.account.Update is created" in out
    assert "Plan: 58 to add, 0 to change, 0 to delete." in out
    assert "secret: (sensitive value)" in out
    assert "Estimate: step.account.Create" in out
    assert run("apply", *at) == 1
    assert "add --auto-approve. Nothing was changed." in capsys.readouterr().err
    assert person.get("serviceendpoints")["value"] == []
    assert run("apply", plan, *at) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("No changes: all ")
    assert KEY not in out + plan.read_text("utf-8")
    assert run("apply", plan, *at) == 1
    assert "plan again" in capsys.readouterr().err
    assert run("drift", *at) == 0
    endpoint = person.get("serviceendpoints")["value"][0]["serviceendpointid"]
    person.update(f"serviceendpoints({endpoint})", {"url": "http://localhost:1/x"})
    capsys.readouterr()
    assert run("drift", *at, "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["format_version"] == "1.1"
    assert [(it["address"], it["actions"], it["differs"]) for it in found["changes"]] == [
        ("endpoint.webhook", ["update"], ["url"])
    ]
    assert run("apply", *at, "--auto-approve", "--rotate") == 0
    assert "The keys were sent again." in capsys.readouterr().out
    assert run("show", *at) == 0
    assert f"endpoint.webhook ({endpoint}): key of sandbox:webhook_key" in capsys.readouterr().out
    assert run("destroy", *at) == 1
    assert run("destroy", *at, "--auto-approve") == 0
    assert person.get("serviceendpoints")["value"] == []


def test_a_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("plan") == 1
    assert "Give --environment FILE, or --sandbox." in capsys.readouterr().err
    assert run("plan", "--environment", tmp_path / "test.toml") == 1
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "test.toml").write_text('url = "https://x.crm.dynamics.example"\nwebhok-url = "x"\n', encoding="utf-8")
    assert run("plan", "--environment", tmp_path / "test.toml") == 1
    said = capsys.readouterr().err
    assert "webhok-url: Extra inputs are not permitted" in said
    assert run("plan", "--sandbox", tmp_path / "none") == 1
    assert "No sandbox runs" in capsys.readouterr().err
