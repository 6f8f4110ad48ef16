"""Tables on Azurite, through the app's own client and through Microsoft's SDK."""

import uuid
from collections.abc import AsyncIterator
from typing import TypeAlias

import pytest
from azure.data.tables.aio import TableServiceClient

from integration.clock import SystemClock
from integration.tables import Account, Table, table_account
from integration.transport import Host, Limits, Transport
from tests.contract.integration.tables.sdk_table import SdkTable

AnyTable: TypeAlias = Table | SdkTable


@pytest.fixture
def account(storage: str) -> Account:
    return table_account(connection_string=storage, account_name=None)


@pytest.fixture
async def transport(account: Account) -> AsyncIterator[Transport]:
    transport = Transport([Host(account.endpoint, limits=Limits(total=20))], clock=SystemClock())
    yield transport
    await transport.aclose()


@pytest.fixture
def name() -> str:
    """The name of a table that no other test has."""
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def ours(account: Account, transport: Transport, name: str) -> Table:
    """The app's own client, of a table that does not exist yet."""
    return Table(account, transport, name)


@pytest.fixture
async def sdk(storage: str, name: str) -> AsyncIterator[SdkTable]:
    """Microsoft's client of the same table, which exists."""
    async with TableServiceClient.from_connection_string(storage) as service:
        yield SdkTable(await service.create_table_if_not_exists(name))


@pytest.fixture(params=["ours", "sdk"])
def table(request: pytest.FixtureRequest, ours: Table, sdk: SdkTable) -> AnyTable:
    """One client and then the other: the same tests hold for both."""
    return ours if request.param == "ours" else sdk
