"""Business events: published once for each state of a record, and handled once for each event."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from examples.business_events import customer_purchase, erp_payment, pos_purchase, vendor_payment_posted
from integration.errors import Outage
from integration.events import Money
from tests.event_kit import EventKit
from tests.flow_kit import Answered, System
from tests.inbound_kit import InboundKit

AT = datetime(2026, 11, 27, 10, tzinfo=UTC)
BOUGHT = pos_purchase.Purchase(number="P-1", customer="C-1", total=Decimal("12.50"), currency="EUR", purchased_on=AT)
TOLD: dict[str, Any] = {
    "Number": "P-1",
    "Customer": "C-1",
    "Total": Money(Decimal("12.50")),
    "Currency": "EUR",
    "PurchasedOn": AT,
    "RepeatKey": "k",
}


def test_a_purchase_is_published_once_however_often_the_point_of_sale_reports_it() -> None:
    kit = InboundKit(pos_purchase.flow, pos=System(get=BOUGHT))
    assert kit.handle("customer-purchase", "P-1").detail == "new_CustomerPurchase was called for purchase P-1"
    assert kit.handle("customer-purchase", "P-1").state == "superseded"
    [(name, parameters)] = kit.dataverse.called
    assert (name, parameters["Total"], parameters["PurchasedOn"]) == (
        "new_CustomerPurchase",
        Decimal("12.50"),
        "2026-11-27T10:00:00.000Z",
    )


def test_a_payment_is_published_when_it_is_posted() -> None:
    payment = erp_payment.Payment(number="V-1", vendor="Fabrikam", amount=Decimal(90), currency="EUR")
    posted = payment.model_copy(update={"posted_on": AT})
    kit = InboundKit(erp_payment.flow, accounting=System(get=[payment, posted]))
    assert kit.handle("vendor-payment-posted", "V-1").detail == "accounting has no such payment any more"
    assert kit.handle("vendor-payment-posted", "V-1").state == "completed"
    assert [name for name, _ in kit.dataverse.called] == ["new_VendorPaymentPosted"]


def test_a_purchase_that_is_reported_is_counted_with_what_was_called() -> None:
    loyalty = System(put=Answered(points="12"))
    kit = EventKit(customer_purchase.flow, loyalty=loyalty)
    outcome = kit.handle(**TOLD)
    assert (outcome.state, outcome.detail) == ("completed", "the loyalty programme has counted the purchase")
    [call] = loyalty.calls
    assert call.arguments["0"] == "purchases/P-1"
    assert call.arguments["1"].model_dump() == {"customer": "C-1", "total": "12.50", "currency": "EUR"}


def test_a_custom_api_that_was_called_twice_for_one_purchase_has_one_effect() -> None:
    """Each call has an event of its own; the key of repetitions does not make another purchase of it."""
    loyalty = System(put=Answered(points="12"))
    kit = EventKit(customer_purchase.flow, loyalty=loyalty)
    kit.handle(**TOLD)
    assert kit.handle(**{**TOLD, "RepeatKey": "other"}).state == "superseded"
    assert kit.handle(**{**TOLD, "Total": Money(Decimal(13))}).state == "completed"
    assert [it.arguments["1"].model_dump()["total"] for it in loyalty.calls] == ["12.50", "13.00"]


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_key() -> None:
    lost = Outage("lost", reason="loyalty-timeout", service="loyalty")
    loyalty = System(put=[lost, Answered(points="12")])
    kit = EventKit(customer_purchase.flow, loyalty=loyalty)
    again = kit.event(TOLD)
    assert kit.handle(again).state == "waiting"
    assert kit.handle(again).state == "completed"
    first, second = (it.arguments["key"] for it in loyalty.calls)
    assert first == second


def test_a_call_that_does_not_say_which_purchase_it_is_is_a_dead_letter() -> None:
    kit = EventKit(customer_purchase.flow)
    outcome = kit.handle(Customer="C-1")
    assert (outcome.state, outcome.reason) == ("dead-lettered", "record-missing")
    assert "has no Number" in str(outcome.detail)


def test_of_a_posted_payment_nothing_follows_but_analytics_gets_it() -> None:
    kit = EventKit(vendor_payment_posted.flow)
    assert kit.handle(Number="V-1").detail == "nothing follows from it"
    assert len(kit.hub.published) == 1
