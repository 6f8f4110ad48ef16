"""How orders and customers stand, under the numbers that Finance & Operations itself gives in its business events."""

from uuid import uuid4

import pytest

from integration.errors import NotFound
from integration.systems import CustomerReport
from integration.systems.finance_operations import FinanceOperations as Adapter
from tests.contract.integration.systems.story import customer_of, order_for
from tests.contract.integration.systems.subjects import FinanceOperations


def adapter_of(subject: FinanceOperations) -> Adapter:
    adapter, _ = subject.adapters()
    assert isinstance(adapter, Adapter)
    return adapter


async def test_an_order_is_followed_to_its_end(finance_operations: FinanceOperations) -> None:
    """On hold and back, delivered, invoiced, and found by its invoice once its header was deleted."""
    adapter, customer_id, order_id = adapter_of(finance_operations), str(uuid4()), str(uuid4())
    await adapter.put_customer(customer_id, customer_of(), key="a")
    number = (await adapter.put_order(order_id, order_for(customer_id), key="b")).number

    async def status() -> str:
        report = await adapter.order_report(number)
        assert (report.number, report.shipped_at) == (number, None)
        return report.status

    seen = [await status()]
    await adapter.hold_order(order_id, reason="reopened", source_version=21, key="c")
    seen.append(await status())
    await adapter.put_order(order_id, order_for(customer_id, source_version=22), key="d")
    for act in ("deliver", "invoice", "purge"):
        finance_operations.system.control("POST", f"orders/{number}/{act}")
        seen.append(await status())
    assert seen == ["confirmed", "on-hold", "shipped", "invoiced", "invoiced"]


async def test_an_order_that_people_cancel_is_reported(finance_operations: FinanceOperations) -> None:
    adapter, customer_id = adapter_of(finance_operations), str(uuid4())
    await adapter.put_customer(customer_id, customer_of(), key="a")
    number = (await adapter.put_order(str(uuid4()), order_for(customer_id), key="b")).number
    finance_operations.system.control("POST", f"orders/{number}/cancel")
    assert (await adapter.order_report(number)).status == "cancelled"


async def test_a_customer_on_hold_is_reported(finance_operations: FinanceOperations) -> None:
    """Whatever kind of hold it is; a balance is in no standard entity."""
    adapter, customer_id = adapter_of(finance_operations), str(uuid4())
    number = (await adapter.put_customer(customer_id, customer_of(), key="a")).number
    assert await adapter.customer_report(number) == CustomerReport(number=number)
    finance_operations.system.control("PATCH", f"CustomersV3/{number}", json={"OnHoldStatus": "Invoice"})
    assert await adapter.customer_report(number) == CustomerReport(number=number, on_hold=True)


async def test_what_it_does_not_have_is_not_found(finance_operations: FinanceOperations) -> None:
    adapter = adapter_of(finance_operations)
    for ask in (adapter.order_report, adapter.customer_report):
        with pytest.raises(NotFound):
            await ask("none")
