"""What only Business Central does to an order: people release it, post it, change it, and it disappears."""

from decimal import Decimal

import pytest

from integration.errors import OutcomeUnknown, Permanent, Transient
from integration.protection import MemoryState
from tests.contract.integration.systems.ordered import Ordered
from tests.contract.integration.systems.story import customer_of
from tests.contract.integration.systems.subjects import BusinessCentral

Order = Ordered[BusinessCentral]


@pytest.fixture
async def ordered(business_central: BusinessCentral) -> Order:
    return Ordered(business_central)


async def test_an_order_has_one_line_with_the_amount_digit_by_digit(ordered: Order) -> None:
    await ordered.make()
    await ordered.put(21, amount=Decimal("99999999.99"), title="x" * 150)
    line = [it["body"] for it in ordered.subject.effects() if it["kind"] == "order-line-updated"][-1]
    assert (line["unitPrice"], line["quantity"], line["description"]) == (99999999.99, 1, "x" * 100)
    assert (line["lineType"], line["lineObjectNumber"], line["sequence"]) == ("Account", "8400", 10_000)


async def test_a_held_order_cannot_be_released_and_says_why(ordered: Order) -> None:
    made = await ordered.make()
    await ordered.hold(21)
    refused = ordered.subject.system.http.post(
        f"{ordered.subject.system.url}/control/orders/{made.number}/release", timeout=5
    )
    assert "nothing to release" in refused.json()["error"]["message"]
    held = [it["body"] for it in ordered.subject.effects() if it["kind"] == "order-line-updated"][-1]
    assert held["description2"] == "On hold: reopened"


async def test_a_posted_order_is_found_among_the_invoices_and_not_made_again(ordered: Order) -> None:
    """The order row is gone then; an event that is sent again finds that all is done."""
    made = await ordered.make()
    ordered.person("post", made.number)
    again = await ordered.put(20)
    assert (again.number, again.status) == (made.number, "posted")
    assert (await ordered.orders.get_order(ordered.order_id)).status == "posted"
    assert ordered.subject.orders_of(ordered.order_id) == []


async def test_a_posted_order_is_found_after_the_apps_store_was_lost(ordered: Order) -> None:
    made = await ordered.make()
    ordered.person("post", made.number)
    ordered.subject.store = MemoryState()
    ordered.customers, ordered.orders = ordered.subject.adapters()
    assert (await ordered.put(20)).number == made.number
    assert ordered.subject.orders_of(ordered.order_id) == []


async def test_a_posted_order_is_found_though_people_have_changed_its_reference(ordered: Order) -> None:
    made = await ordered.make()
    changed = {"externalDocumentNumber": "PO 4711"}
    order_id = next(it["id"] for it in ordered.subject.effects() if it["number"] == made.number)
    ordered.subject.system.control("PATCH", f"salesOrders/{order_id}", json=changed)
    assert (await ordered.put(20)).number == made.number
    ordered.subject.system.control("PATCH", f"salesOrders/{order_id}", json=changed)
    ordered.person("post", made.number)
    assert (await ordered.put(20)).number == made.number


async def test_what_was_posted_is_for_people_to_correct(ordered: Order) -> None:
    made = await ordered.make()
    ordered.person("post", made.number)
    with pytest.raises(Permanent, match=made.number) as raised:
        await ordered.hold(21)
    assert raised.value.reason == "erp-order-posted"
    with pytest.raises(Permanent, match=made.number) as raised:
        await ordered.put(21, amount=Decimal(1))
    assert raised.value.reason == "erp-order-posted"


async def test_what_was_released_is_refused_until_people_reopen_it(ordered: Order) -> None:
    made = await ordered.make()
    ordered.person("release", made.number)
    with pytest.raises(Permanent, match="reopen it") as raised:
        await ordered.hold(21)
    assert raised.value.reason == "erp-order-confirmed"
    ordered.person("reopen", made.number)
    held = await ordered.hold(21)
    assert held.status == "on-hold"


async def test_an_order_whose_line_people_have_replaced_is_theirs(ordered: Order) -> None:
    """Our line beside theirs would count the amount twice."""
    await ordered.make()
    line = next(it for it in reversed(ordered.subject.effects()) if it["kind"] == "order-line-created")
    ordered.subject.system.control("PATCH", f"salesOrderLines/{line['id']}", json={"sequence": 20_000})
    with pytest.raises(Permanent, match="people have replaced the line") as raised:
        await ordered.put(21, amount=Decimal(1))
    assert raised.value.reason == "erp-taken-over"


async def test_two_filled_orders_for_one_opportunity_are_for_people(ordered: Order) -> None:
    """Somebody has copied the order with its reference: which of them counts, nobody here can know."""
    first = await ordered.make()
    other = Ordered(ordered.subject)
    second = await other.make()
    order_id = next(it["id"] for it in ordered.subject.effects() if it["number"] == second.number)
    copied = {"externalDocumentNumber": ordered.reference}
    ordered.subject.system.control("PATCH", f"salesOrders/{order_id}", json=copied)
    with pytest.raises(Permanent, match=f"{first.number}, {second.number}") as raised:
        await ordered.put(21)
    assert raised.value.reason == "erp-ambiguous"


@pytest.mark.parametrize("lost", ["POST .*salesOrderLines", "PATCH .*salesOrderLines"])
async def test_a_hold_waits_for_a_lost_request_that_would_let_the_order_go(ordered: Order, lost: str) -> None:
    """Nothing of the order would differ, so nothing would be sent, and the late request would be done after it."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    if lost.startswith("PATCH"):
        await ordered.put(20)
        await ordered.hold(21)
    ordered.subject.system.fault(lost, drop=True, times=None)
    with pytest.raises(Transient):
        await ordered.put(22)
    ordered.subject.system.control("DELETE", "faults")
    with pytest.raises(OutcomeUnknown):
        await ordered.hold(23)
    ordered.subject.clock.move(601)
    held = await ordered.hold(23)
    assert held.status == "on-hold"


@pytest.mark.parametrize("amount", ["0", "-5.00"])
async def test_the_amount_of_a_line_is_taken_as_it_is(ordered: Order, amount: str) -> None:
    """Business Central takes any price; the flow lets no negative one get here."""
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    await ordered.put(amount=Decimal(amount))
    prices = [it["body"]["unitPrice"] for it in ordered.subject.effects() if "unitPrice" in it["body"]]
    assert Decimal(str(prices[-1])) == Decimal(amount)


async def test_a_title_loses_line_ends_and_what_is_too_long(ordered: Order) -> None:
    await ordered.customers.put_customer(ordered.customer_id, customer_of(), key="c")
    await ordered.put(title="Two\nlifts\x07 " + "x" * 120)
    texts = [it["body"]["description"] for it in ordered.subject.effects() if "unitPrice" in it["body"]]
    assert texts[-1] == ("Two lifts  " + "x" * 120)[:100]


async def test_the_local_currency_is_stored_blank_and_another_by_its_code(ordered: Order) -> None:
    await ordered.make()
    await ordered.put(21, currency="USD")
    headers = [it["body"]["currencyCode"] for it in ordered.subject.effects() if "currencyCode" in it["body"]]
    assert (headers[-2], headers[-1]) == ("", "USD")
