"""What the commands say where no sandbox runs, or where its state is to be forgotten."""

import json
import re
from pathlib import Path

import pytest

from sandbox.commands import clean
from sandbox.commands.__main__ import main
from sandbox.commands.here import Suggested
from sandbox.running.state import StateDirectory
from sandbox.terminal.words import PYTHON

NEED_ONE = [
    ["change", "account", "Contoso", "name=x"],
    ["win", "x"],
    ["status"],
    ["dead-letters"],
    ["archive"],
    ["fail"],
    ["heal"],
]


@pytest.mark.parametrize("command", NEED_ONE, ids=lambda command: command[0])
def test_a_command_says_that_no_sandbox_runs_and_how_to_start_one(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--state", str(tmp_path)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("No sandbox runs on ")
    assert f"{PYTHON} run.py up --state" in said


def test_endpoints_of_a_killed_sandbox_count_as_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "endpoints.json").write_text("{}")
    assert main(["status", "--state", str(tmp_path)]) == 1
    assert "No sandbox runs" in capsys.readouterr().err


def test_a_sandbox_that_is_starting_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = StateDirectory(tmp_path)
    state.open()
    assert main(["status", "--state", str(tmp_path)]) == 1
    assert "still starting" in capsys.readouterr().err
    state.close()


def test_clean_forgets_state_logs_and_abandoned_runs_but_not_the_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = tmp_path / "tools"
    monkeypatch.setattr(clean, "TOOLS", tools)
    abandoned = ("demo-x/logs/erp.log", "bench-y/data/z", "chaos-frozen-z/chaos.log", "mutate-x/tree/y.py")
    for file in ("data/keys.json", "logs/erp.log", "tools/azurite/x.js", *abandoned):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("x" * 100_000)
    assert main(["clean", "--state", str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "tools"]
    assert re.search(r"which frees 0\.\d MB", " ".join(capsys.readouterr().out.split()))
    assert main(["clean", "--all", "--state", str(tmp_path)]) == 0
    assert not tools.exists()


def test_clean_is_refused_while_a_sandbox_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = StateDirectory(tmp_path)
    state.open()
    (state.data / "keys.json").write_text("{}")
    assert main(["clean", "--state", str(tmp_path)]) == 1
    assert "Stop it first" in " ".join(capsys.readouterr().err.split())
    assert (state.data / "keys.json").exists()
    state.close()


def test_logs_of_a_stopped_sandbox_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every record with time and level, a traceback in lines of its own; --raw as it is in the file."""
    (tmp_path / "logs").mkdir()
    app = {"what": "settled", "eventId": "e", "state": "completed", "time": "2026-11-26T13:57:06.5Z", "level": "INFO"}
    host = "2026-11-26T13:57:07.586Z ERROR [x] it failed\\n  File a.py\\nValueError: no"
    (tmp_path / "logs" / "host-events.log").write_text(f"{json.dumps(app)}\n{host}\n")
    assert main(["logs", "worker", "--state", str(tmp_path)]) == 0
    first, second, *rest = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:06\.500 INFO     settled e state=completed", first)
    assert re.fullmatch(r"\d\d:\d\d:07\.586 ERROR    it failed", second)
    assert [line.strip() for line in rest] == ["File a.py", "ValueError: no"]
    assert main(["logs", "worker", "--errors", "--raw", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [host]
    assert main(["logs", "worker", "-n", "0", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_a_log_that_is_not_there_says_which_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "erp.log").touch()
    assert main(["logs", "broker", "--state", str(tmp_path)]) == 1
    assert "Existing logs: erp." in " ".join(capsys.readouterr().err.split())


def test_suggested_commands_name_another_state_directory_only(tmp_path: Path) -> None:
    assert Suggested(Path(".sandbox"))("up") == f"{PYTHON} run.py up"
    assert Suggested(tmp_path)("up") == f"{PYTHON} run.py up --state {tmp_path}"
