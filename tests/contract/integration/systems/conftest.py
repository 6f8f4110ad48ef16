"""One suite, run with each adapter."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.integration.systems.creditsafe.bench import Bench
from tests.contract.integration.systems.subjects import BusinessCentral, FinanceOperations, Rest, Subject
from tests.contract.sandbox.systems.stand_in import StandIn, Start


@pytest.fixture(scope="session")
def business_central_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Business Central, one for all tests of the session."""
    return start("business_central", "--db", tmp_path_factory.mktemp("bc") / "bc.db")


@pytest.fixture(scope="session")
def finance_operations_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Finance & Operations, one for all tests of the session."""
    return start("finance_operations", "--db", tmp_path_factory.mktemp("fo") / "fo.db")


@pytest.fixture(params=["rest", "business-central", "finance-operations"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    """The adapter that the test is run with, on a stand-in without faults."""
    made: Subject
    if request.param == "rest":
        made = Rest(request.getfixturevalue("erp_system"))
    elif request.param == "business-central":
        made = BusinessCentral(request.getfixturevalue("business_central_system"))
    else:
        made = FinanceOperations(request.getfixturevalue("finance_operations_system"))
    made.system.control("DELETE", "faults")
    made.system.control("DELETE", "requests")
    yield made
    await made.transport.aclose()
    made.system.control("DELETE", "faults")


@pytest.fixture
async def business_central(business_central_system: StandIn) -> AsyncIterator[BusinessCentral]:
    """Business Central alone, for what only it has."""
    made = BusinessCentral(business_central_system)
    made.system.control("DELETE", "faults")
    made.system.control("DELETE", "requests")
    made.system.control("POST", "setup", json={"manual_numbers": True})
    yield made
    await made.transport.aclose()
    made.system.control("DELETE", "faults")


@pytest.fixture
async def finance_operations(finance_operations_system: StandIn) -> AsyncIterator[FinanceOperations]:
    """Finance & Operations alone, for what only it has."""
    made = FinanceOperations(finance_operations_system)
    made.system.control("DELETE", "faults")
    made.system.control("DELETE", "requests")
    made.system.control("POST", "setup", json=USUAL_SETUP)
    yield made
    await made.transport.aclose()
    made.system.control("DELETE", "faults")
    made.system.control("POST", "setup", json=USUAL_SETUP)


USUAL_SETUP = {"customer_numbers": "manual", "order_numbers": "automatic", "closed_until": ""}


@pytest.fixture(scope="session")
def creditsafe_system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    """Creditsafe Connect, one for all tests of the session."""
    return start("creditsafe", "--db", tmp_path_factory.mktemp("creditsafe") / "creditsafe.db")


@pytest.fixture
async def bench(creditsafe_system: StandIn) -> AsyncIterator[Bench]:
    """Creditsafe without faults, and a company that no other test asks for."""
    made = Bench(creditsafe_system)
    made.system.control("DELETE", "faults")
    made.system.control("POST", "setup", json={"subscribed": True, "countries_left_out": ["RO"]})
    yield made
    await made.transport.aclose()
    made.system.control("DELETE", "faults")
