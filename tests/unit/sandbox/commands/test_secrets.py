"""`run.py secrets` against a program that stands for az: its commands, and that no secret is part of one."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.commands import secrets
from sandbox.commands.dispatch import dispatch
from sandbox.deployment import app_secrets

AZ = """#!{python} -SE
import json, os, sys
path = os.environ["AZ_STATE"]
state = json.load(open(path))
words = sys.argv[1:]
state["calls"].append(words)
option = lambda name: words[words.index(name) + 1] if name in words else None
name, url = option("--name"), option("--url")
vault = state["vault"]
answer = None
if words[:4] == ["functionapp", "config", "appsettings", "list"]:
    reference = "@Microsoft.KeyVault(VaultName=kv;SecretName=%s)"
    answer = [dict(name=k, value=reference % v) for k, v in state["settings"].items()] + [dict(name="X", value="1")]
elif words[:2] == ["functionapp", "show"]:
    answer = "/subscriptions/s/sites/app"
elif words[:3] == ["keyvault", "secret", "list"]:
    made = "2026-11-01T00:00:00+00:00"
    answer = [dict(name=k, attributes=dict(created=made, expires=v[-1]["due"])) for k, v in vault.items()]
elif words[:3] == ["keyvault", "secret", "show"]:
    found = "https://kv/secrets/%s/%d" % (name, len(vault[name]))
    answer = found if option("--query") == "id" else dict(value=vault[name][-1]["value"])
elif words[:3] == ["keyvault", "secret", "set"]:
    assert os.stat(option("--file")).st_mode & 0o077 == 0
    vault.setdefault(name, []).append(dict(value=open(option("--file")).read(), due=option("--expires")))
elif url and "/refresh?" in url:
    if not state["asleep"]:
        state["read"] = {{k: len(v) for k, v in vault.items()}}
elif url:
    answer = dict(value=[dict(name=k, properties=dict(status="Resolved" if v in state["read"] else "SecretNotFound",
        activeVersion=str(state["read"][v]) if v in state["read"] else None)) for k, v in state["settings"].items()])
else:
    sys.exit("ERROR: unexpected " + " ".join(words))
json.dump(state, open(path, "w"))
print(json.dumps(answer))
"""
SETTINGS = {
    "INTAKE_KEYS": "intake-keys",
    "OPERATIONS_KEYS": "operations-keys",
    "VIRTUAL_TABLE_KEYS": "virtual-table-keys",
    "SYSTEMS_ERP_API_KEY": "erp-api-key",
}
RINGS = ("intake-keys", "operations-keys", "virtual-table-keys")
WHERE = ("--group", "rg", "--app", "app")


class Azure:
    """What the stand-in for az knows: a vault, an app, and the commands that were called."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "state.json"
        self.save(calls=[], vault={}, settings=SETTINGS, read={}, asleep=False)

    def save(self, **changes: Any) -> None:
        self._path.write_text(json.dumps({**(self.state if self._path.exists() else {}), **changes}), encoding="utf-8")

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return state

    @property
    def changes(self) -> list[list[str]]:
        """The commands that changed something."""
        return [it for it in self.state["calls"] if "none" in it]

    def ring(self, secret: str) -> dict[str, list[str]]:
        ring: dict[str, list[str]] = json.loads(self.state["vault"][secret][-1]["value"])
        return ring


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Azure:
    program = tmp_path / "az"
    program.write_text(AZ.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZ_STATE", str(tmp_path / "state.json"))
    monkeypatch.setattr(secrets, "_READ_SECONDS", 0.0)
    monkeypatch.setattr(app_secrets, "_ASK_AGAIN_SECONDS", 0.0)
    return Azure(tmp_path)


def run(*words: str) -> int:
    return dispatch(["secrets", *words, *WHERE])


def test_keys_are_made_once_and_shown_once(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of Dataverse, of the plug-in and of support; what others have to give is named with its command."""
    assert run("create") == 0
    shown = capsys.readouterr().out
    keys = [key for ring in RINGS for (key,) in azure.ring(ring).values()]
    assert set(azure.ring("intake-keys")) == {"dataverse", "plugin"}
    assert set(azure.ring("virtual-table-keys")) == {"dataverse"}
    assert len(keys) == 4
    assert all(shown.count(key) == 1 for key in keys)
    assert "run.py secrets set erp-api-key --group rg --app app" in shown
    assert run("create") == 0
    again = capsys.readouterr().out
    assert "exist" in again
    assert not any(key in again for key in keys)
    assert len(azure.state["vault"]["intake-keys"]) == 1


def test_no_secret_is_part_of_a_command(azure: Azure, tmp_path: Path) -> None:
    """Commands can be seen by others on the machine; a value goes through a file that is deleted."""
    given = tmp_path / "given"
    given.write_text("the-key-of-the-erp\n", encoding="utf-8")
    assert run("create") == 0
    assert run("set", "erp-api-key", "--file", str(given)) == 0
    assert azure.state["vault"]["erp-api-key"][-1]["value"] == "the-key-of-the-erp"
    called = json.dumps(azure.state["calls"])
    assert "the-key-of-the-erp" not in called
    assert not any(key in called for (key,) in azure.ring("intake-keys").values())
    files = [Path(it[it.index("--file") + 1]) for it in azure.changes if "--file" in it]
    assert files
    assert not any(file.exists() for file in files)


def test_the_commands_are_those_of_az(azure: Azure) -> None:
    """Another version with its date, then the request that lets the app read it."""
    run("create")
    due = f"{datetime.now(UTC) + timedelta(days=180):%Y-%m-%dT}"
    store, refresh, *_ = azure.changes
    assert store[:7] == ["keyvault", "secret", "set", "--vault-name", "kv", "--name", "intake-keys"]
    assert store[9:12] == ["--encoding", "utf-8", "--expires"]
    assert store[12].startswith(due)
    address = "https://management.azure.com/subscriptions/s/sites/app/config/configreferences/appsettings/refresh"
    assert refresh == ["rest", "--method", "post", "--url", f"{address}?api-version=2024-11-01", "--output", "none"]


def test_a_key_is_rotated_in_two_steps(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are valid until the second step, and other callers keep theirs."""
    run("create")
    before = azure.ring("intake-keys")
    capsys.readouterr()
    assert run("rotate", "intake-keys", "dataverse") == 0
    present, following = azure.ring("intake-keys")["dataverse"]
    assert [present] == before["dataverse"]
    shown = capsys.readouterr().out
    assert following in shown
    assert present not in shown
    assert "secrets finish intake-keys dataverse" in shown
    assert run("finish", "intake-keys", "dataverse") == 0
    assert azure.ring("intake-keys") == {**before, "dataverse": [following]}


def test_the_first_key_stays_while_the_app_does_not_know_the_second(
    azure: Azure, capsys: pytest.CaptureFixture[str]
) -> None:
    """Instances that know only the first one would refuse the caller."""
    run("create")
    azure.save(asleep=True)
    assert run("rotate", "intake-keys", "dataverse") == 1
    assert "does not use this version yet" in " ".join(capsys.readouterr().out.split())
    assert run("finish", "intake-keys", "dataverse") == 1
    assert "has not read the second key yet" in " ".join(capsys.readouterr().err.split())
    assert len(azure.ring("intake-keys")["dataverse"]) == 2
    assert run("finish", "intake-keys", "dataverse", "--force") == 1
    assert len(azure.ring("intake-keys")["dataverse"]) == 1


def test_a_dry_run_changes_nothing(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which commands it would run, without the values."""
    assert run("create", "--dry-run") == 0
    assert azure.changes == []
    said = capsys.readouterr().out
    assert "would run: az keyvault secret set --vault-name kv --name intake-keys" in said
    assert "would show once the key of dataverse" in said


def test_what_is_missing_due_or_not_read_is_listed(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """With status 1, so that a pipeline notices; with 0 when all is well."""
    run("create")
    soon = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    vault = azure.state["vault"]
    vault["operations-keys"][-1]["due"] = soon
    vault["erp-api-key"] = [{"value": "x", "due": "2020-01-01T00:00:00+00:00"}]
    azure.save(vault=vault)
    capsys.readouterr()
    assert run("list") == 1
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert " ok " in lines["intake-keys"]
    assert " soon due " in lines["operations-keys"]
    assert " due " in lines["erp-api-key"]
    del vault["erp-api-key"]
    azure.save(vault=vault)
    assert run("list") == 1
    shown = capsys.readouterr().out
    assert "missing" in shown
    assert "run.py secrets set erp-api-key" in shown


def test_a_secret_that_nothing_refers_to_is_not_stored(azure: Azure, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be a misspelt one; and keys of callers are not written over as a whole."""
    assert run("set", "erp-apikey") == 1
    assert "they refer to erp-api-key" in " ".join(capsys.readouterr().err.split())
    assert run("set", "intake-keys") == 1
    assert azure.changes == []


def test_an_az_that_is_not_there_or_fails_is_reported(
    azure: Azure, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong, and its last words, instead of a traceback."""
    azure.save(settings={})
    assert run("list") == 1
    assert "Deploy the infrastructure first" in " ".join(capsys.readouterr().err.split())
    monkeypatch.delenv("AZ_STATE")
    assert run("list") == 1
    assert "az functionapp config appsettings failed" in " ".join(capsys.readouterr().err.split())
    monkeypatch.setenv("PATH", "")
    assert run("list") == 1
    assert "not on PATH" in " ".join(capsys.readouterr().err.split())
