"""The clients against the stand-ins, as the app would be wired."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from integration.clock import SystemClock
from integration.dataverse import DataverseClient
from integration.systems import Customer
from integration.systems.rest import CreditClient, ErpClient
from integration.transport import ApiKey, Host, Limits, Transport
from tests.contract.integration.sign_in import tokens_of
from tests.contract.sandbox.systems.conftest import start as start  # noqa: PLC0414 -- a fixture, offered here too
from tests.contract.sandbox.systems.stand_in import StandIn, Start

LIMITS = Limits(connect=2.0, read=2.0, total=3.0)


@pytest.fixture(scope="session")
def erp_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """The ERP, one for all tests of the session."""
    return start("erp", "--db", tmp_path_factory.mktemp("erp") / "erp.db")


@pytest.fixture(scope="session")
def credit_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Credit scoring, one for all tests of the session."""
    return start("credit", "--db", tmp_path_factory.mktemp("credit") / "credit.db")


@pytest.fixture(scope="session")
def dataverse_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Dataverse with its token endpoint, one for all tests of the session."""
    state = tmp_path_factory.mktemp("dataverse")
    ca_dir = state / "ca"
    return start("dataverse", "--state", state, "--ca-dir", ca_dir, scheme="https", verify=ca_dir / "ca.pem")


def _fresh(system: StandIn) -> StandIn:
    system.control("DELETE", "faults")
    system.control("DELETE", "requests")
    return system


@pytest.fixture
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    """A transport to the stand-ins that the test uses: fresh, so that no pause asked of another test holds."""
    hosts = []
    for name in ("erp_system", "credit_system", "dataverse_system"):
        if name in request.fixturenames:
            system: StandIn = request.getfixturevalue(name)
            ca_file = system.http.verify
            hosts.append(Host(system.url, ca_file=ca_file if isinstance(ca_file, str) else None, limits=LIMITS))
            _fresh(system)
    transport = Transport(hosts, clock=SystemClock())
    yield transport
    await transport.aclose()


@pytest.fixture
def erp(transport: Transport, erp_system: StandIn) -> ErpClient:
    return ErpClient(transport, ApiKey("erp-sandbox-key"), erp_system.url)


@pytest.fixture
def credit(transport: Transport, credit_system: StandIn) -> CreditClient:
    return CreditClient(transport, ApiKey("credit-sandbox-key"), credit_system.url)


@pytest.fixture
def dataverse(transport: Transport, dataverse_system: StandIn) -> DataverseClient:
    return DataverseClient(transport, tokens_of(dataverse_system, transport), dataverse_system.url, clock=SystemClock())


@pytest.fixture
def customer() -> Customer:
    return Customer(
        name="Contoso Ltd",
        kind="organisation",
        email="a@contoso.example",
        currency="EUR",
        status="active",
        source_version=10,
    )


@pytest.fixture
def new_id() -> str:
    return str(uuid4())
