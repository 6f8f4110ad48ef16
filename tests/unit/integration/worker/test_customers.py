"""The customer of an order, while its own events are worked on beside the order's."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from integration.dataverse import DataverseClient, Row
from integration.errors import Conflict, Permanent, Stale
from integration.events import Lookup
from integration.ledger import Record
from integration.systems.rest import ErpClient
from integration.transport import CallContext
from integration.worker.customers import Customers
from integration.worker.pace import Pace
from integration.worker.reading import Rows
from integration.worker.work import Work
from integration.worker.write_back import WriteBack
from tests.builders import event
from tests.unit.integration.worker.memory_table import ManualClock, MemoryLedger

CUSTOMER = Lookup("account", "a0000000-0000-4000-8000-000000000000")


class Accounts(Rows):
    """One account, which somebody may change."""

    def __init__(self) -> None:
        self.row = Row("accounts", CUSTOMER.id, {"name": "Contoso", "statecode": 0}, '"1"', version=1)

    async def read(self, table: str, record_id: str, columns: tuple[str, ...], context: CallContext) -> Row:
        return self.row


class NewerErp(ErpClient):
    """It has a newer state of the customer; `moved`: since another event has just brought it there."""

    def __init__(self, accounts: Accounts, *, moved: bool) -> None:
        self._accounts = accounts
        self._moved = moved

    async def put_customer(self, *_: Any, **__: Any) -> Any:
        if self._moved:
            self._accounts.row = replace(self._accounts.row, version=2)
        raise Stale("it already holds a newer version", service="erp")


async def ensure(*, moved: bool) -> None:
    clock = ManualClock()
    ledger = MemoryLedger(clock)
    accounts, order = Accounts(), event()
    write_back = WriteBack(cast("DataverseClient", None), clock, prefix="new", tag="t")
    record = Record(ledger.records, order.session_id, None)
    work = Work(order, record, ledger, clock, pace=Pace(0, clock), deadline=datetime.now(UTC).timestamp())
    await Customers(accounts, NewerErp(accounts, moved=moved), write_back).ensure(work, CUSTOMER)


async def test_a_customer_that_moved_on_meanwhile_is_read_again() -> None:
    """The order's event is not given up because the customer's own event was faster."""
    with pytest.raises(Conflict):
        await ensure(moved=True)


async def test_a_customer_that_stands_still_and_is_older_than_in_the_erp_is_reported() -> None:
    with pytest.raises(Permanent) as failed:
        await ensure(moved=False)
    assert failed.value.reason == "erp-ahead"
