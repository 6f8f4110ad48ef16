"""Finance & Operations, one for all tests of it."""

import pytest

from tests.contract.sandbox.systems.finance_operations.caller import USUAL, Caller
from tests.contract.sandbox.systems.stand_in import StandIn, Start


@pytest.fixture(scope="session")
def system(start: Start, tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return start("finance_operations", "--db", tmp_path_factory.mktemp("fo") / "fo.db")


@pytest.fixture
def fo(system: StandIn) -> Caller:
    system.control("DELETE", "faults")
    system.control("POST", "setup", json=USUAL)
    return Caller(system)
