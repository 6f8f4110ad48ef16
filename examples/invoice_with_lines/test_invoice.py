"""Invoices: what accounting books, and when it books anew."""

from decimal import Decimal
from typing import Any

import pytest

from examples.invoice_with_lines.invoice import Booked, booking, flow
from integration.errors import Permanent
from integration.events import Lookup
from integration.flows import account
from tests.flow_kit import Answered, FlowKit, System, row_of

CUSTOMER = Lookup("account", "a0000000-0000-4000-8000-000000000001")
LINES: list[dict[str, Any]] = [
    {"invoicedetailid": "1", "productname": "Bike", "quantity": Decimal(2), "extendedamount": Decimal(2000)},
    {"invoicedetailid": "2", "productname": "Bell", "quantity": Decimal("0.5"), "extendedamount": Decimal("9.5")},
]
INVOICE: dict[str, Any] = {
    "invoicenumber": "INV-1",
    "datedelivered": "2026-11-20",
    "customerid": CUSTOMER,
    "totalamount": Decimal("2009.5"),
    "transactioncurrencyid": "EUR",
    "invoice_details": LINES,
    "statecode": 0,
}


def started() -> tuple[FlowKit, System]:
    """An invoice of an account, and systems that take everything."""
    system = System(
        put=Booked(document_number="D-1"),
        post=Booked(document_number="D-2"),
        put_customer=Answered(number="C-1", replaced_version=None),
    )
    kit = FlowKit(flow, accounting=system, erp=system)
    kit.row(account.flow, CUSTOMER.id, name="Contoso", statecode=0)
    kit.row(**INVOICE)
    return kit, system


def test_an_invoice_is_booked_with_its_lines_in_its_own_currency() -> None:
    made = booking(row_of(flow, **INVOICE))
    assert (made.currency, made.total, len(made.lines)) == ("EUR", Decimal("2009.50"), 2)
    assert [(it.text, it.quantity, it.amount) for it in made.lines] == [
        ("Bike", Decimal(2), Decimal("2000.00")),
        ("Bell", Decimal("0.5"), Decimal("9.50")),
    ]


def test_the_lines_come_in_the_same_request() -> None:
    kit, _ = started()
    reads = kit.worker._handlers.of(kit.event()).reads  # type: ignore[union-attr] # the flow is there
    assert reads.expand == "invoice_details($select=invoicedetailid,productname,quantity,extendedamount)"


def test_the_customer_is_in_the_erp_before_the_invoice_is_booked() -> None:
    kit, system = started()
    assert kit.handle("Create").state == "completed"
    assert system.called() == ["put_customer", "put"]
    assert kit.written == {"documentnumber": "D-1"}


def test_a_line_that_changes_is_booked_anew_and_a_payment_is_not() -> None:
    kit, system = started()
    kit.handle("Create")
    kit.row(statecode=2)
    kit.handle("Update", changed=["statecode"])
    assert system.called().count("put") == 1
    kit.row(totalamount=Decimal(2000), invoice_details=LINES[:1])
    kit.handle("Update", changed=["totalamount"])
    assert system.called().count("put") == 2


def test_a_cancelled_invoice_is_reversed_once() -> None:
    kit, system = started()
    kit.handle("Create")
    kit.row(statecode=3)
    assert kit.handle("Update", changed=["statecode"]).detail == "reversed"
    kit.handle("Update", changed=["statecode"])
    assert system.called().count("post") == 1
    assert kit.written == {"documentnumber": "D-2"}


def test_an_invoice_without_a_customer_says_so() -> None:
    with pytest.raises(Permanent, match="lacks customerid"):
        booking(row_of(flow, **{**INVOICE, "customerid": None}))
