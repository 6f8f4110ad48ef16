"""Azurite for the ledger's tests."""

from collections.abc import Iterator

import pytest
from azure.data.tables import TableServiceClient

from integration.clock import SystemClock
from integration.ledger import Ledger, Records, Tables
from sandbox import azurite
from sandbox.endpoints import storage_connection
from sandbox.ports import Ports
from sandbox.process import HttpProbe, Program
from sandbox.sandbox import REPOSITORY
from sandbox.supervisor import Supervisor


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of its own."""
    ports, home = Ports.free(), tmp_path_factory.mktemp("azurite")
    (home / "data").mkdir()
    installed = azurite.installed(REPOSITORY / ".sandbox" / "tools", print)
    supervisor = Supervisor(home, REPOSITORY)
    ready = HttpProbe(f"http://127.0.0.1:{ports.table}/", (400, 403))
    supervisor.run([Program("azurite", tuple(installed.command(ports, home / "data")), ready)])
    yield storage_connection(ports)
    supervisor.stop()


@pytest.fixture
def tables(storage: str) -> Tables:
    return Tables(lambda: TableServiceClient.from_connection_string(storage))


@pytest.fixture
def ledger(tables: Tables) -> Ledger:
    return Ledger(tables, SystemClock())


@pytest.fixture
def records(tables: Tables) -> Records:
    return Records(tables)
