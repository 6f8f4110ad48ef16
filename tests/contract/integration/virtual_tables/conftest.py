"""One provider for each ERP, over a stand-in of its own that has the same customers and orders."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.integration.systems.subjects import BusinessCentral, FinanceOperations
from tests.contract.integration.virtual_tables.provider import Provider
from tests.contract.integration.virtual_tables.stock import stock
from tests.contract.sandbox.systems.stand_in import Start


@pytest.fixture(scope="session")
def business_central_provider(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Over Business Central."""
    system = start("business_central", "--db", tmp_path_factory.mktemp("bc-rows") / "bc.db")
    with Provider(BusinessCentral(system)) as provider:
        stock(provider)
        yield provider


@pytest.fixture(scope="session")
def written_provider(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Over a Business Central of its own, for tests that create rows."""
    system = start("business_central", "--db", tmp_path_factory.mktemp("bc-written") / "bc.db")
    with Provider(BusinessCentral(system)) as provider:
        yield provider


@pytest.fixture(scope="session")
def finance_operations_provider(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Over Finance & Operations."""
    system = start("finance_operations", "--db", tmp_path_factory.mktemp("fo-rows") / "fo.db")
    with Provider(FinanceOperations(system)) as provider:
        stock(provider)
        yield provider


@pytest.fixture(params=["business-central", "finance-operations"])
def provider(request: pytest.FixtureRequest) -> Provider:
    """The provider over each ERP."""
    found = request.getfixturevalue(f"{request.param.replace('-', '_')}_provider")
    assert isinstance(found, Provider)
    return found


@pytest.fixture(params=["business-central", "finance-operations"])
def changing_provider(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Iterator[Provider]:
    """Over an ERP of its own, for a test that enters more rows."""
    kind: type[BusinessCentral | FinanceOperations] = (
        BusinessCentral if request.param == "business-central" else FinanceOperations
    )
    with Provider(kind(start(request.param.replace("-", "_"), "--db", tmp_path / "erp.db"))) as found:
        stock(found)
        yield found
