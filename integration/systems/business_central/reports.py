"""How customers and orders stand in Business Central, under its own ids: those that its webhooks name."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from integration.errors import NotFound
from integration.systems.business_central.lookup import LINES, ORDERS
from integration.systems.business_central.webservice import Company
from integration.systems.messages import CustomerReport, OrderReport
from integration.systems.odata.calls import Row
from integration.systems.odata.refusals import not_there
from integration.transport import NO_CONTEXT, CallContext

_FREE = frozenset({"", " ", "_x0020_"})
"""How a blank `blocked` is written."""


class Reports:
    """`ErpRecords` over one company."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def customer_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> CustomerReport:
        """Any block counts as a hold: each of them stops new orders or their shipment; raises `NotFound`."""
        row = await self._company.get("customers", record, context=context)
        balance = row.get("balanceDue")
        return CustomerReport(
            number=str(row["number"]),
            on_hold=row.get("blocked", "") not in _FREE,
            balance=None if balance is None else Decimal(str(balance)),
        )

    async def order_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> OrderReport:
        """An order that was posted has disappeared: then its invoice says so. Raises `NotFound`."""
        try:
            row = await self._company.get(ORDERS, record, expand=LINES, context=context)
        except NotFound:
            return await self._posted(record, context)
        number = str(row["number"])
        if row.get("fullyShipped"):
            return OrderReport(number=number, status="shipped", shipped_at=await self._shipped_at(number, context))
        ordered = any(line.get("quantity") for line in row[LINES])
        return OrderReport(number=number, status="confirmed" if ordered else "on-hold")

    async def _posted(self, record: str, context: CallContext) -> OrderReport:
        invoices = await self._company.posted_of("salesInvoices", record, context=context)
        if not invoices:
            raise not_there(self._company.service, f"order {record}", table=ORDERS, record_id=record)
        number = str(invoices[0].get("orderNumber") or invoices[0]["number"])
        return OrderReport(number=number, status="invoiced", shipped_at=await self._shipped_at(number, context))

    async def _shipped_at(self, number: str, context: CallContext) -> datetime | None:
        """When its last shipment was posted."""
        shipments = await self._company.find("salesShipments", "orderNumber", number, context=context)
        return max((at for it in shipments if (at := modified(it)) is not None), default=None)


def modified(row: Row) -> datetime | None:
    """`lastModifiedDateTime`, as an aware time."""
    text: Any = row.get("lastModifiedDateTime")
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None
