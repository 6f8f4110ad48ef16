"""The sandbox, started once for the session on free ports and in a temporary state directory."""

from collections.abc import Iterator

import pytest

from integration import signatures
from sandbox.client import Client
from sandbox.machine.ports import Ports
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from sandbox.running.sinks import ALL
from tests.contract.sandbox.systems.conftest import start
from tests.receiver import Receiver, receiving

__all__ = ["start"]

# Retries, paces and waits for a commit are short, so that tests need not wait, and nothing heals what tests let fail;
# the rest is as deployed.
SETTINGS = {
    "RETRY_FIRST_DELAY_SECONDS": "0.5",
    "OUTAGE_FIRST_PAUSE_SECONDS": "0.5",
    "OUTAGE_LONGEST_PAUSE_SECONDS": "2",
    "RETRY_LONGEST_DELAY_SECONDS": "2",
    "RECORD_PACE_SECONDS": "0.1",
    "COMMIT_WAIT_SECONDS": "5",
    "CHANGE_TRACKING": "false",
    "CUSTOM_API_SECONDS": "2",
}


OPERATORS_SECRET = signatures.new_secret()
"""With which operators' events are signed."""


@pytest.fixture(scope="session")
def operators() -> Iterator[Receiver]:
    """Gets the operators' events of the app."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, operators: Receiver) -> Iterator[Sandbox]:
    """All processes, with every sink; `sandbox.processes` kills, stops, starts and restarts them by name."""
    more = {
        "OPERATOR_EVENTS_URL": operators.url,
        "OPERATOR_EVENTS_SECRET": OPERATORS_SECRET,
    }
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), Ports.free(), settings=SETTINGS | more, sinks=ALL)
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
    _client.broker.clear_faults()
    for stand_in in (_client.dataverse, _client.erp, _client.credit, *_client.sinks.values()):
        stand_in.clear_faults()
