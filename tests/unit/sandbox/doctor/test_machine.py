"""What is looked at on this machine."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.doctor import machine
from sandbox.doctor.finding import Finding
from sandbox.machine.ports import Ports
from sandbox.running.state import StateDirectory


class Usage(NamedTuple):
    """What shutil.disk_usage gives."""

    total: int
    used: int
    free: int


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `pip check`, which takes seconds and which one test runs."""
    monkeypatch.setattr(machine, "_environment", lambda: Finding("ok", "installation", "not looked at"))


def found(state: Path, what: str, environ: dict[str, str] | None = None) -> Finding | None:
    return next((it for it in machine.findings(state, environ or {}) if it.what == what), None)


def test_the_machine_that_runs_the_tests_can_run_the_sandbox(tmp_path: Path) -> None:
    """With what is really installed: the only one of these tests that asks pip."""
    wrong = [it for it in machine.findings(tmp_path, {}) if it.state == "wrong" and it.what != "ports"]
    assert wrong == []


@pytest.mark.usefixtures("quick")
def test_a_port_that_is_taken_is_named_with_the_option_that_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "is_taken", lambda port: port == Ports().erp)
    finding = found(tmp_path, "ports")
    assert finding is not None
    assert (finding.state, finding.seen) == ("wrong", "something else listens on 7081 (the ERP stand-in)")
    assert "--erp-port PORT" in finding.remedy


@pytest.mark.usefixtures("quick")
def test_a_killed_sandbox_is_distinguished_from_one_that_runs(tmp_path: Path) -> None:
    assert found(tmp_path, "sandbox") == Finding("ok", "sandbox", "none runs")
    state = StateDirectory(tmp_path)
    state.open()
    state.endpoints.touch()
    running = found(tmp_path, "sandbox")
    assert running is not None
    assert running.seen.startswith("one runs on")
    assert found(tmp_path, "ports") is None
    state.close()
    killed = found(tmp_path, "sandbox")
    assert killed is not None
    assert "was left by a sandbox that was killed" in killed.seen


@pytest.mark.parametrize(
    ("environ", "state"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy"}, "wrong"),
        ({"https_proxy": "http://proxy", "NO_PROXY": "localhost"}, "wrong"),
        ({"HTTPS_PROXY": "http://proxy", "no_proxy": "localhost, 127.0.0.1"}, "ok"),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, "ok"),
    ],
)
@pytest.mark.usefixtures("quick")
def test_a_proxy_that_would_take_calls_to_this_machine_is_found(
    tmp_path: Path, environ: dict[str, str], state: str | None
) -> None:
    finding = found(tmp_path, "proxy", environ)
    assert (finding.state if finding else None) == state
    if state == "wrong":
        assert finding is not None
        assert "127.0.0.1" in finding.remedy


def test_a_full_disk_is_found_where_something_is_to_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "REPOSITORY", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 100_000_000))
    assert machine._disk() == Finding("wrong", "disk", "0.1 GB free", "About 2 GB are needed for the installation.")
