"""The sandbox, started once for the session on free ports and in a temporary state directory."""

from collections.abc import Iterator

import pytest

from sandbox.client import Client
from sandbox.machine.ports import Ports
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox

# A retry is due within a second or two, so that tests of retries need not wait; the rest is as deployed.
SETTINGS = {
    "RETRY_FIRST_DELAY_SECONDS": "0.5",
    "RETRY_LONGEST_DELAY_SECONDS": "2",
}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """All processes; `sandbox.processes` kills, stops, starts and restarts them by name."""
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), Ports.free(), settings=SETTINGS)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="session")
def endpoints(sandbox: Sandbox) -> Endpoints:
    """Addresses, connection strings and keys."""
    return Endpoints.read(sandbox.state.endpoints)


@pytest.fixture(scope="session")
def _client(sandbox: Sandbox, endpoints: Endpoints) -> Client:
    return Client(endpoints)


@pytest.fixture
def client(sandbox: Sandbox, _client: Client) -> Iterator[Client]:
    """The sandbox from outside; faults and killed processes end with the test."""
    yield _client
    for name in sandbox.processes.names:
        if sandbox.processes.pid(name) is None:
            sandbox.processes.start(name)
    for stand_in in (_client.dataverse, _client.erp, _client.credit, _client.broker):
        stand_in.clear_faults()
