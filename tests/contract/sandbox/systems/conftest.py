"""Starts stand-ins as the supervisor does: as processes, on free ports."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.contract.sandbox.systems.dataverse_client import Dataverse, Receiver, remove_registrations, sign_in
from tests.contract.sandbox.systems.stand_in import READY_SECONDS, StandIn, Start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def start() -> Iterator[Start]:
    """Start `python -m sandbox.<name>`; what was started is stopped when the session ends."""
    running: list[StandIn] = []

    def launch(name: str, *arguments: object, scheme: str = "http", verify: Path | None = None) -> StandIn:
        port = free_port()
        command = [sys.executable, "-m", f"sandbox.systems.{name}", "--port", str(port), *map(str, arguments)]
        http = requests.Session()
        http.trust_env = False
        if verify is not None:
            http.verify = str(verify)
        one = StandIn(subprocess.Popen(command), f"{scheme}://localhost:{port}", http, command)  # noqa: S603 -- our own module
        running.append(one)
        if verify is not None:
            _wait_for(verify)
        one.wait_until_ready()
        return one

    yield launch
    for one in running:
        one.process.terminate()
    for one in running:
        assert one.process.wait(READY_SECONDS) in {0, -9}


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} was not written"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def stand_in(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """One Dataverse for all tests; webhooks wait 1 s, and a retry comes at once."""
    state = tmp_path_factory.mktemp("dataverse")
    options = ("--state", state, "--webhook-timeout", 1, "--webhook-retry-delay", 0.05)
    return start("dataverse", *options, scheme="https", verify=state / "ca.pem")


@pytest.fixture
def application(stand_in: StandIn) -> Iterator[Dataverse]:
    """Dataverse as our application user sees it; registrations and faults are removed afterwards."""
    dataverse = sign_in(stand_in, "application")
    yield dataverse
    stand_in.control("DELETE", "faults")
    dataverse = sign_in(stand_in, "application")
    remove_registrations(dataverse)
    dataverse.quiet()
    stand_in.control("DELETE", "events")


@pytest.fixture
def human(stand_in: StandIn) -> Dataverse:
    """Dataverse as a person at work sees it."""
    return sign_in(stand_in, "human")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint."""
    one = Receiver()
    yield one
    one.close()
