"""Invoices: accounting books each with its lines; a cancelled one is reversed."""

from datetime import date as Day  # noqa: N812 -- `date` is a column here

from integration.events import Lookup
from integration.flow import (
    Answer,
    Columns,
    Flow,
    Kit,
    Money,
    Needs,
    choice,
    date,
    lines,
    lookup,
    money,
    number,
    text,
    text_result,
)
from integration.systems import Message
from integration.systems.messages import Amount
from integration.systems.rest import Resources


class Line(Columns):
    """What is read of a line."""

    line_id = text("invoicedetailid", default="")
    product = text("productname", default="(no product)")
    quantity = number("quantity")
    amount = money("extendedamount")


class Invoice(Columns):
    """What is read of an invoice.

    Dataverse adds up the lines: a line that changes changes the total, which is what an Update is sent for.
    """

    invoice_number = text("invoicenumber")
    delivered_on = date("datedelivered")
    customer = lookup("customerid", to=("account", "contact"))
    total = money("totalamount")
    lines = lines("invoice_details", Line)
    state = choice("statecode", {0: "active", 1: "closed", 2: "paid", 3: "cancelled"}, default="active")


class Entry(Message):
    """A line in accounting."""

    id: str
    text: str
    quantity: Amount | None
    amount: Amount


class Booking(Message):
    """What accounting gets."""

    customer_id: str
    number: str | None
    delivered_on: Day | None
    total: Amount
    currency: str
    lines: list[Entry]
    source_version: int


class Booked(Message):
    """What is taken of accounting's answer."""

    document_number: str


flow = Flow(
    Invoice,
    table="invoice",
    entity_set="invoices",
    results=(
        text_result("documentnumber", "Document number", max_length=50, key=True, holds="the document in accounting"),
    ),
)


def complete(row: Invoice) -> tuple[Lookup, Money, str]:
    """Customer, total and currency; raises `Permanent` (row-incomplete) that names what is missing."""
    total = row.total
    if row.customer is None or total is None or total.currency is None:
        raise row.incomplete(customerid=row.customer, totalamount=total, transactioncurrencyid=total and total.currency)
    return row.customer, total, total.currency


def booking(row: Invoice) -> Booking:
    """An invoice in the words of accounting; the amounts of its lines are in its own currency."""
    customer, total, currency = complete(row)
    entries = [
        Entry(id=it.line_id, text=it.product, quantity=it.quantity, amount=it.amount.amount)
        for it in row.lines
        if it.amount is not None
    ]
    return Booking(
        customer_id=customer.id,
        number=row.invoice_number,
        delivered_on=row.delivered_on,
        total=total.amount,
        currency=currency,
        lines=entries,
        source_version=row.version,
    )


@flow.effect(
    "accounting-invoice",
    system="accounting",
    when=lambda row: row.state != "cancelled",
    of=lambda row: (booking(row).model_dump(mode="json", exclude={"source_version"}),),
    needs=Needs(lambda row: complete(row)[0], role="customer", gone="customer-gone"),
    writes={"documentnumber": "documentNumber"},
    publishes=("documentNumber",),
    says=lambda answer: f"document {answer['documentNumber']}",
    done="booked",
)
async def book(row: Invoice, kit: Kit, key: str) -> Answer:
    """Booked with all its lines, and again when one has changed. Paid or closed changes nothing."""
    accounting: Resources = kit.system("accounting")
    booked = await accounting.put(
        f"invoices/{row.id}", booking(row), Booked, key=f"{key}:{row.version}", context=kit.context, force=kit.forced
    )
    return {"documentNumber": booked.document_number}


class Reversal(Message):
    """Why a booking is reversed."""

    reason: str


@book.undo("reversed", says=lambda answer: f"reversed: {answer['documentNumber']}", done="reversed")
async def reverse(row: Invoice, kit: Kit, key: str) -> Answer:
    """Cancelled: accounting never deletes, it books the opposite."""
    accounting: Resources = kit.system("accounting")
    reversed_by = await accounting.post(
        f"invoices/{row.id}/reversal", Reversal(reason="cancelled"), Booked, key=key, context=kit.context
    )
    return {"documentNumber": reversed_by.document_number}
