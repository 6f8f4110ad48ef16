"""What several suites share."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from sandbox.azure import azurite
from sandbox.machine.ports import Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY, TOOLS
from sandbox.running.endpoints import storage_connection

# How long an example takes says more about the machine than about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--api-examples", default=2, help="requests for each operation of the intake's OpenAPI document")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of the tests' own, one for all suites that ask for it."""
    ports, home = Ports.free(), tmp_path_factory.mktemp("azurite")
    (home / "data").mkdir()
    command = azurite.installed(TOOLS, print).command(ports, home / "data")
    # The table service is the last of the three that Azurite starts.
    ready = HttpProbe(f"http://127.0.0.1:{ports.table}/", (400, 403))
    supervisor = Supervisor(home, REPOSITORY)
    # It waits for connections that clients keep open: nothing here is worth that.
    supervisor.run([Program("azurite", tuple(command), ready, stop_seconds=0.5)])
    yield storage_connection(ports)
    supervisor.stop()
