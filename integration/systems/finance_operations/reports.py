"""How customers and orders stand in Finance & Operations, under its own numbers, as its business events name them."""

from integration.systems.finance_operations.lookup import Stage, stage_of
from integration.systems.finance_operations.webservice import CUSTOMERS, INVOICES, KEYS, LINES, ORDERS, Company
from integration.systems.messages import CustomerReport, OrderReport
from integration.systems.odata.calls import Row
from integration.systems.odata.refusals import not_there
from integration.transport import NO_CONTEXT, CallContext

_DELIVERED = "Delivered"


class Reports:
    """`ErpRecords` over one legal entity. No standard entity has the balance of a customer, or when an order left."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def customer_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> CustomerReport:
        """Any OnHoldStatus but `No` counts as a hold; raises `NotFound`."""
        row = await self._one(CUSTOMERS, record, context)
        return CustomerReport(number=str(row[KEYS[CUSTOMERS]]), on_hold=row.get("OnHoldStatus") != "No")

    async def order_report(self, record: str, *, context: CallContext = NO_CONTEXT) -> OrderReport:
        """The header; where that was deleted after it was invoiced, its invoice. Raises `NotFound`."""
        rows = await self._company.find(ORDERS, {KEYS[ORDERS]: record}, context, expand=LINES)
        if not rows:
            invoice = await self._one(INVOICES, record, context, field=KEYS[ORDERS])
            return OrderReport(number=str(invoice[KEYS[ORDERS]]), status="invoiced")
        row = rows[0]
        number, stage = str(row[KEYS[ORDERS]]), stage_of(row)
        if stage is Stage.POSTED:
            return OrderReport(number=number, status="invoiced")
        if stage is Stage.CANCELLED:
            return OrderReport(number=number, status="cancelled")
        if _DELIVERED in {row.get("SalesOrderStatus"), row.get("SalesOrderProcessingStatus")}:
            return OrderReport(number=number, status="shipped")
        stopped = row.get("IsSalesProcessingStopped") == "Yes" or not row[LINES]
        return OrderReport(number=number, status="on-hold" if stopped else "confirmed")

    async def _one(self, kind: str, record: str, context: CallContext, *, field: str = "") -> Row:
        rows = await self._company.find(kind, {field or KEYS[kind]: record}, context)
        if rows:
            return rows[0]
        raise not_there(self._company.service, f"row {record} of {kind}", table=kind)
