"""Where an order is found again: among the orders, and among the invoices where its header was deleted after that."""

from dataclasses import dataclass
from enum import Enum

from integration.systems.finance_operations.webservice import INVOICES, LINES, ORDERS, Company
from integration.systems.odata.calls import Row
from integration.systems.odata.refusals import ambiguous
from integration.transport import CallContext

REFERENCE = "CustomersOrderReference"
"""The field of the header that carries the id of the opportunity; it need not be unique there."""


class Stage(Enum):
    """How far people have come with an order; the value is what its state says."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Posted:
    """An invoiced order whose header is no longer there: its number."""

    number: str


def stage_of(row: Row) -> Stage:
    """By both states of a header; one that is not known counts as people's work."""
    states = {row.get("SalesOrderStatus"), row.get("SalesOrderProcessingStatus")}
    if states & {"Invoiced", "PartiallyInvoiced"}:
        return Stage.POSTED
    if states & {"Canceled", "Cancelled"}:
        return Stage.CANCELLED
    return Stage.OPEN if states <= {"Backorder", "Active", "None", None} else Stage.CONFIRMED


class Lookup:
    """Finds orders by what they carry, and by their number."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def find(self, reference: str, number: str, context: CallContext) -> "Row | Posted | None":
        """The header with its lines; that it was invoiced and its header deleted; or None.

        `number` is the one that is remembered or that the app sets, empty where there is none: with it, an order is
        found whose reference people have changed. Raises `Permanent` (`<service>-ambiguous`) where two orders with
        lines carry the same reference.
        """
        fields = {REFERENCE: reference} | ({"SalesOrderNumber": number} if number else {})
        rows = await self._company.find(ORDERS, fields, context, expand=LINES)
        if rows:
            return await self._one_of(rows, number, context)
        invoices = await self._company.find(INVOICES, fields, context)
        return Posted(str(invoices[0]["SalesOrderNumber"])) if invoices else None

    async def _one_of(self, rows: list[Row], number: str, context: CallContext) -> Row:
        """The order that has lines, else the one that is remembered, else the first; whoever looks comes to the same.

        The other headers came from requests that were answered too late. They are stopped and have no line, so no
        effect, and are deleted.
        """
        filled = [row for row in rows if row[LINES]]
        if len(filled) > 1:
            raise ambiguous(self._company.service, (str(row["SalesOrderNumber"]) for row in filled))
        known = [row for row in rows if row["SalesOrderNumber"] == number]
        chosen = (filled or known or sorted(rows, key=lambda row: str(row["SalesOrderNumber"])))[0]
        for surplus in rows:
            if surplus is not chosen:
                await self._company.delete(ORDERS, surplus, context)
        return chosen
