"""What only Finance & Operations does to an order: people confirm, deliver, invoice and change it."""

from decimal import Decimal
from typing import Any

import pytest

from integration.errors import OutcomeUnknown, Permanent, Transient
from integration.protection import MemoryState
from integration.systems.odata.keys import reference_of
from tests.contract.integration.systems.finance_operations.infolog import said_by_xpp
from tests.contract.integration.systems.ordered import Ordered
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import FinanceOperations

JSON = {"Content-Type": "application/json"}


class Order(Ordered[FinanceOperations]):
    """With what is changed and written there."""

    def change(self, number: str, **fields: object) -> None:
        self.subject.system.control("PATCH", f"SalesOrderHeadersV2/{number}", json=fields)

    def last(self, kind: str) -> dict[str, Any]:
        """What was last written of a kind."""
        body: dict[str, Any] = [it["body"] for it in self.subject.effects() if it["kind"].startswith(kind)][-1]
        return body


@pytest.fixture
async def ordered(finance_operations: FinanceOperations) -> Order:
    return Order(finance_operations)


async def test_an_order_has_one_line_with_the_amount_digit_by_digit(ordered: Order) -> None:
    await ordered.make()
    await ordered.put(21, amount=Decimal("99999999.99"), title="x" * 1100)
    line = ordered.last("order-line")
    assert (line["SalesPrice"], line["OrderedSalesQuantity"], line["ItemNumber"]) == (99999999.99, 1.0, "S0001")
    assert line["LineDescription"] == "x" * 1000


async def test_a_header_says_who_ordered_what_for_when(ordered: Order) -> None:
    """It was stopped until its line was there."""
    made = await ordered.make()
    created = next(it["body"] for it in ordered.subject.effects() if it["number"] == made.number)
    assert (created["IsSalesProcessingStopped"], created["RequestedShippingDate"]) == ("Yes", "2026-11-20T12:00:00Z")
    header = ordered.last("order-updated")
    assert header["IsSalesProcessingStopped"] == "No"
    assert header["OrderingCustomerAccountNumber"] == header["InvoiceCustomerAccountNumber"]
    assert header["CustomersOrderReference"] == reference_of(ordered.order_id)


async def test_a_held_order_cannot_be_confirmed(ordered: Order) -> None:
    made = await ordered.make()
    await ordered.hold()
    system = ordered.subject.system
    refused = system.http.post(f"{system.url}/control/orders/{made.number}/confirm", timeout=5)
    assert "is stopped" in refused.json()["error"]["innererror"]["message"]


@pytest.mark.parametrize("act", ["confirm", "deliver", "cancel"])
async def test_what_people_have_gone_on_with_is_theirs(ordered: Order, act: str) -> None:
    """An event that is sent again finds that all is done; a change is for people, until they reopen the order."""
    made = await ordered.make()
    ordered.person(act, made.number)
    again = await ordered.put(20)
    assert (again.number, again.status) == (made.number, "cancelled" if act == "cancel" else "confirmed")
    with pytest.raises(Permanent, match=made.number) as raised:
        await ordered.put(21, amount=Decimal(1))
    assert raised.value.reason == "erp-order-confirmed"
    with pytest.raises(Permanent, match=made.number) as raised:
        await ordered.hold()
    assert raised.value.reason == "erp-order-confirmed"
    ordered.person("reopen", made.number)
    assert (await ordered.hold()).status == "on-hold"


@pytest.mark.parametrize("header", ["kept", "deleted"])
async def test_an_invoiced_order_is_not_made_again(ordered: Order, header: str) -> None:
    """Also where its header was deleted after that: the invoice has its number and its reference."""
    made = await ordered.make()
    ordered.person("invoice", made.number)
    if header == "deleted":
        ordered.person("purge", made.number)
    for _ in range(2):
        again = await ordered.put(20)
        assert (again.number, again.status) == (made.number, "posted")
        assert (await ordered.orders.get_order(ordered.order_id)).status == "posted"
        ordered.subject.store = MemoryState()
        ordered.customers, ordered.orders = ordered.subject.adapters()
    assert len(ordered.subject.orders_of(ordered.order_id)) == (1 if header == "kept" else 0)


async def test_what_was_invoiced_is_for_people_to_correct(ordered: Order) -> None:
    made = await ordered.make()
    ordered.person("invoice", made.number)
    for attempt in (ordered.hold(), ordered.put(21, amount=Decimal(1))):
        with pytest.raises(Permanent, match=made.number) as raised:
            await attempt
        assert raised.value.reason == "erp-order-posted"


async def test_an_order_is_found_though_people_have_changed_its_reference(ordered: Order) -> None:
    """By the number that is remembered; the change takes the reference back, so that anybody finds it."""
    made = await ordered.make()
    ordered.change(made.number, CustomersOrderReference="PO 4711")
    changed = await ordered.put(21, amount=Decimal(99))
    assert changed.number == made.number
    assert ordered.last("order-updated")["CustomersOrderReference"] == reference_of(ordered.order_id)


async def test_an_order_whose_line_people_have_replaced_is_theirs(ordered: Order) -> None:
    """Our line beside theirs would count the amount twice."""
    await ordered.make()
    lot = ordered.last("order-line")["InventoryLotId"]
    ordered.subject.system.control("DELETE", f"SalesOrderLines/{lot}")
    with pytest.raises(Permanent, match="people have replaced the line") as raised:
        await ordered.put(21, amount=Decimal(1))
    assert raised.value.reason == "erp-taken-over"


async def test_a_draft_that_people_have_let_go_is_stopped_before_it_gets_its_line(ordered: Order) -> None:
    """Without a stop to take away, the change set would change nothing of the header, and its ETag protect nothing."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    ordered.subject.system.fault("POST .*batch", drop=True)
    with pytest.raises(Transient):
        await ordered.put()
    ordered.change(str(ordered.subject.orders_of(ordered.order_id)[0]), IsSalesProcessingStopped="No")
    with pytest.raises(Transient) as raised:
        await ordered.put()
    assert raised.value.reason == "erp-conflict"
    assert (await ordered.put()).status == "confirmed"


async def test_two_filled_orders_for_one_opportunity_are_for_people(ordered: Order) -> None:
    """Somebody has copied the order with its reference: which of them counts, nobody here can know."""
    first = await ordered.make()
    other = Order(ordered.subject)
    second = await other.make()
    ordered.change(second.number, CustomersOrderReference=ordered.reference)
    with pytest.raises(Permanent, match=f"{first.number}, {second.number}") as raised:
        await ordered.put(21)
    assert raised.value.reason == "erp-ambiguous"


async def test_a_hold_waits_for_a_change_set_whose_answer_was_lost(ordered: Order) -> None:
    """It may still take the order out of its stop."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    ordered.subject.system.fault("POST .*batch", drop=True)
    with pytest.raises(Transient):
        await ordered.put()
    with pytest.raises(OutcomeUnknown):
        await ordered.hold()
    ordered.subject.clock.move(601)
    assert (await ordered.hold()).status == "on-hold"


async def test_a_hold_waits_for_a_lost_change_that_would_let_the_order_go(ordered: Order) -> None:
    """Nothing of the order would differ, so nothing would be sent, and the late change would be done after it."""
    await ordered.make()
    await ordered.hold(21)
    ordered.subject.system.fault("POST .*batch", drop=True)
    with pytest.raises(Transient):
        await ordered.put(22)
    with pytest.raises(OutcomeUnknown):
        await ordered.hold(23)
    ordered.subject.clock.move(601)
    assert (await ordered.hold(23)).status == "on-hold"


async def test_an_order_that_is_on_hold_from_the_start_gets_no_line(ordered: Order) -> None:
    """Nor does anything wait for it; what takes it out of that gives it its line."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    assert (await ordered.put(20, status="on-hold")).status == "on-hold"
    assert (await ordered.orders.get_order(ordered.order_id)).status == "on-hold"
    assert (await ordered.put(21)).status == "confirmed"
    assert len(ordered.subject.orders_of(ordered.order_id)) == 1


async def test_an_answer_that_says_too_little_leaves_the_outcome_open(ordered: Order) -> None:
    """A part is missing from the answer to the change set: the event waits, and finds that all is done."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    ordered.subject.system.fault("POST .*batch", status=200, after=True, headers=JSON, body="{}")
    with pytest.raises(Transient) as raised:
        await ordered.put()
    assert raised.value.reason == "erp-answer-invalid"
    assert (await ordered.put()).status == "confirmed"
    assert len(ordered.subject.orders_of(ordered.order_id)) == 1


async def test_an_order_that_was_saved_although_an_exception_was_answered_is_found(ordered: Order) -> None:
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    body = said_by_xpp("Error: Update has been canceled.")
    ordered.subject.system.fault("POST .*SalesOrderHeadersV2", status=400, after=True, headers=JSON, body=body)
    assert (await ordered.put()).status == "confirmed"
    assert len(ordered.subject.orders_of(ordered.order_id)) == 1


async def test_an_item_that_is_unknown_there_is_refused_and_leaves_a_stopped_draft(ordered: Order) -> None:
    """In a change set, what X++ refuses is answered 500. Once the item is there, the order goes on."""
    usual = ordered.subject.options
    ordered.subject.options = type(usual)(customer_group="10", local_currency="EUR", item_number="NONE")
    refused = Ordered(ordered.subject)
    with pytest.raises(Permanent, match="unknown there: Item number") as raised:
        await refused.make()
    assert raised.value.reason == "erp-value-unknown"
    assert (await refused.orders.get_order(refused.order_id)).status == "on-hold"
    ordered.subject.options = usual
    refused.customers, refused.orders = ordered.subject.adapters()
    assert (await refused.put()).status == "confirmed"
    assert len(ordered.subject.orders_of(refused.order_id)) == 1


async def test_a_stocked_item_is_shipped_from_the_site_of_the_settings(ordered: Order) -> None:
    usual = ordered.subject.options
    ordered.subject.options = type(usual)(customer_group="10", local_currency="EUR", item_number="D0001")
    with pytest.raises(Permanent, match="name a site and a warehouse"):
        await Ordered(ordered.subject).make()
    ordered.subject.options = type(usual)(
        customer_group="10", local_currency="EUR", item_number="D0001", site="1", warehouse="11"
    )
    await Ordered(ordered.subject).make()
    line = ordered.last("order-line")
    assert (line["ShippingSiteId"], line["ShippingWarehouseId"]) == ("1", "11")


async def test_a_change_that_somebody_else_made_in_between_is_read_again(ordered: Order) -> None:
    """The change set is refused as a whole with 412."""
    made = await ordered.make()
    part = ["Content-Type: application/http", "", "HTTP/1.1 412 Precondition Failed", "OData-Version: 4.0", "", "{}"]
    body = "\r\n".join(["--b", *part, "--b--"])
    ordered.subject.system.fault("POST .*batch", status=200, headers={"Content-Type": "multipart/mixed"}, body=body)
    with pytest.raises(Transient) as raised:
        await ordered.put(21, amount=Decimal(1))
    assert raised.value.reason == "erp-conflict"
    assert (await ordered.put(21, amount=Decimal(1))).number == made.number
