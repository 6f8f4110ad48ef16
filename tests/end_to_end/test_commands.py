"""The commands as a developer runs them, each with a sandbox of its own."""

import signal
import socket
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest
import requests

from sandbox.client import eventually
from sandbox.machine.ports import Ports, is_taken, option_of
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sandbox.commands", name, *arguments]


def options(ports: Ports, state: Path) -> list[str]:
    named = dict(zip(Ports.__match_args__, astuple(ports), strict=True))
    return ["--state", str(state), *(part for name, port in named.items() for part in (option_of(name), str(port)))]


@pytest.mark.skipif(sys.platform == "win32", reason="a test cannot send Windows' console signals")
def test_up_leaves_nothing_when_it_is_stopped(tmp_path: Path) -> None:
    """endpoints.json is there while it is up; SIGTERM ends it with status 0, and leaves neither file nor listener."""
    ports = Ports.free()
    file = tmp_path / "endpoints.json"
    with subprocess.Popen(command("up", *options(ports, tmp_path)), cwd=REPOSITORY, stdout=subprocess.PIPE) as up:  # noqa: S603 -- run.py up
        eventually(lambda: file.exists() or up.poll() is not None, within=60, what="up")
        reached = Endpoints.read(file)
        health = requests.get(f"{reached.functions}/api/health", timeout=10)
        up.send_signal(signal.SIGTERM)
        printed, _ = up.communicate(timeout=60)
    assert health.json()["ready"] is True
    assert up.returncode == 0
    assert reached.functions in printed.decode()
    assert not file.exists()
    assert not [port for port in astuple(ports) if is_taken(port)]


def test_up_names_the_port_that_is_taken(tmp_path: Path) -> None:
    """Exit status 1, and one line that says which port, what for, and which option changes it."""
    ports = Ports.free()
    with socket.create_server(("127.0.0.1", ports.erp)):
        answer = subprocess.run(  # noqa: S603 -- run.py up
            command("up", *options(ports, tmp_path)),
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert answer.returncode == 1
    assert f"Port {ports.erp} (the ERP stand-in) is already in use" in answer.stderr
    assert "--erp-port" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "chosen",
    [
        ["--erp", "rest"],
        ["--erp", "business-central", "--relay"],
        ["--erp", "finance-operations", "--credit", "creditsafe"],
    ],
    ids=["rest", "business central behind a relay", "finance & operations with creditsafe"],
)
def test_the_demo_checks_its_own_outcome(chosen: list[str]) -> None:
    """Every claim of its summary holds with each ERP, and its exit status says so."""
    answer = subprocess.run(  # noqa: S603 -- run.py demo
        command("demo", *chosen), cwd=REPOSITORY, capture_output=True, text=True, timeout=150, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "FAILED" not in answer.stdout
    assert answer.stdout.count("\n  ok ") >= 11
