"""Hosts under the supervisor, as in `run.py up`: started again after functionTimeout, and when the app changes."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sandbox.machine.ports import Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY
from sandbox.running.reload import AppFiles, Changes, Reload
from tests.contract.sandbox.azure.host.processes import alive, wait_until

APP = """
import time
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="answer")
def answer(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ANSWER")

@app.route(route="stuck")
def stuck(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(30)
"""
HOSTS = ("first", "second")


class Hosts:
    """Two hosts of an app that the test writes, watched."""

    def __init__(self, home: Path) -> None:
        self.app = home / "app"
        self.app.mkdir()
        self.write("host.json", json.dumps({"version": "2.0", "functionTimeout": "00:00:03"}))
        self.write("function_app.py", APP)
        self.said: list[str] = []
        ports = Ports.free()
        self._urls = [f"http://127.0.0.1:{port}" for port in (ports.functions, ports.events_host)]
        self.processes = Supervisor(home, REPOSITORY, self.said.append)
        self.processes.run([self._program(name, url) for name, url in zip(HOSTS, self._urls, strict=True)])
        self.processes.watch()
        self.reload = Reload(self.processes, HOSTS, Changes(AppFiles(self.app).state), self.said.append)

    def _program(self, name: str, url: str) -> Program:
        port = url.rpartition(":")[2]
        command = (sys.executable, "-m", "sandbox.azure.host", "--app", str(self.app), "--port", port, "--name", name)
        return Program(name, command, HttpProbe(f"{url}/admin/host/status", text='"Running"'), stop_seconds=15)

    def write(self, name: str, text: str) -> None:
        (self.app / name).write_text(text)

    def pids(self) -> list[int | None]:
        return [self.processes.pid(name) for name in HOSTS]

    def get(self, path: str) -> list[str]:
        return [requests.get(f"{url}/api/{path}", timeout=10).text for url in self._urls]

    def reloaded(self, until: Callable[[], bool]) -> None:
        def poll() -> bool:
            self.reload.poll()
            return until()

        wait_until(f"the reload; said so far: {self.said}", poll)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    some = Hosts(tmp_path_factory.mktemp("supervised"))
    yield some
    some.processes.stop()


def test_a_change_of_the_app_starts_its_hosts_again(hosts: Hosts) -> None:
    """Both stop in good order and run the new code; it is said what has changed."""
    before = hosts.pids()
    assert hosts.get("answer") == ["ANSWER"] * 2
    hosts.write("function_app.py", APP.replace("ANSWER", "NEW"))
    hosts.reloaded(lambda: hosts.said[-1].startswith("The app runs again") and len(hosts.said) > 1)
    assert hosts.get("answer") == ["NEW"] * 2
    assert hosts.said[-2] == "function_app.py changed: starting first and second again ..."
    assert not set(before) & set(hosts.pids())
    assert hosts.processes.log("first").read_text().count("Stopped") == 1


def test_a_broken_app_is_reported_and_tried_again_at_the_next_change(hosts: Hosts) -> None:
    """The error is printed with the log's last lines; no process is left meanwhile; then the app runs again."""
    before = [pid for pid in hosts.pids() if pid is not None]
    hosts.write("function_app.py", "this is no Python")
    hosts.reloaded(lambda: "next change" in hosts.said[-1])
    assert "SyntaxError" in hosts.said[-1]
    assert hosts.pids() == [None, None]
    assert not any(alive(pid) for pid in before)
    said = len(hosts.said)
    hosts.reload.poll()
    assert len(hosts.said) == said
    assert hosts.pids() == [None, None]
    hosts.write("function_app.py", APP.replace("ANSWER", "MENDED"))
    hosts.reloaded(lambda: hosts.said[-1].startswith("The app runs again"))
    assert hosts.get("answer") == ["MENDED"] * 2


def test_a_host_that_function_timeout_has_ended_is_started_again(hosts: Hosts) -> None:
    """Exit code 75, and whoever called gets no answer; a moment later the host answers again."""
    before = hosts.pids()
    with pytest.raises(OSError, match="onnection"):
        hosts.get("stuck")
    wait_until("another process", lambda: hosts.pids()[0] not in {None, before[0]})
    hosts.processes.wait_ready("first")
    assert "first ended with status 75: starting it again" in hosts.said[-1]
    assert hosts.pids()[1] == before[1]
    assert len(hosts.get("answer")) == 2
