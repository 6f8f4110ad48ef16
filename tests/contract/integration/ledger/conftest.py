"""The ledger on Azurite."""

import pytest
from azure.data.tables import TableServiceClient

from integration.clock import SystemClock
from integration.ledger import Ledger, Records, Tables


@pytest.fixture
def tables(storage: str) -> Tables:
    return Tables(lambda: TableServiceClient.from_connection_string(storage))


@pytest.fixture
def ledger(tables: Tables) -> Ledger:
    return Ledger(tables, SystemClock())


@pytest.fixture
def records(tables: Tables) -> Records:
    return Records(tables)
