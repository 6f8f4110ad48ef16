"""The sandbox with each kind of ERP: the shared one for the REST contract, and one of its own for each other kind.

`run.py journeys` names the kinds in the variable JOURNEYS_ERPS; without it there is the one of the REST contract.
"""

import os
from collections.abc import Callable, Iterator

import pytest

from sandbox.client import Client
from sandbox.machine.ports import Ports
from sandbox.running.endpoints import Endpoints
from sandbox.running.erp import DEFAULT
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.conftest import SETTINGS
from tests.end_to_end.erps.people import PEOPLE, People

KINDS = [it for it in os.environ.get("JOURNEYS_ERPS", DEFAULT).split(",") if it]


@pytest.fixture(scope="session")
def client_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Client]]:
    """A client of a sandbox with this kind of ERP, which is started when it is first asked for."""
    running: dict[str, tuple[Sandbox, Client]] = {}

    def client(kind: str) -> Client:
        if kind not in running:
            sandbox = Sandbox(tmp_path_factory.mktemp(kind), Ports.free(), settings=SETTINGS, erp=kind)
            sandbox.start()
            running[kind] = sandbox, Client(Endpoints.read(sandbox.state.endpoints))
        return running[kind][1]

    yield client
    for sandbox, _ in running.values():
        sandbox.stop()


@pytest.fixture(params=KINDS)
def people(request: pytest.FixtureRequest, client_with: Callable[[str], Client]) -> Iterator[People]:
    """What people do in the ERP, and what its books say."""
    kind: str = request.param
    client = request.getfixturevalue("client") if kind == DEFAULT else client_with(kind)
    yield PEOPLE[kind](client)
    client.erp.clear_faults()
