"""The ledger on Azurite."""

from collections.abc import AsyncIterator

import pytest

from integration.clock import SystemClock
from integration.ledger import Ledger
from integration.tables import Account, table_account
from tests.contract.integration.ledger.faults import FaultyTransport


@pytest.fixture
def account(storage: str) -> Account:
    return table_account(connection_string=storage, account_name=None)


@pytest.fixture
async def transport(account: Account) -> AsyncIterator[FaultyTransport]:
    """What the ledger sends through; a test says which calls get lost."""
    transport = FaultyTransport(account)
    yield transport
    await transport.aclose()


@pytest.fixture
async def ledger(account: Account, transport: FaultyTransport) -> AsyncIterator[Ledger]:
    ledger = Ledger(account, transport, SystemClock())
    yield ledger
    await ledger.close()
