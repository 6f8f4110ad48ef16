"""Where an order is found again: among the orders, and once it is posted, among invoices and shipments."""

from dataclasses import dataclass

from integration.errors import NotFound
from integration.systems.business_central.webservice import Company
from integration.systems.odata.calls import Row
from integration.systems.odata.refusals import ambiguous
from integration.transport import CallContext

ORDERS, LINES = "salesOrders", "salesOrderLines"
_POSTED = ("salesInvoices", "salesShipments")
"""An order disappears when all of it is posted; these keep its number and its external document number."""


@dataclass(frozen=True, slots=True)
class Posted:
    """An order that was posted: its number."""

    number: str


class Lookup:
    """Finds orders by what they carry, also after they were posted."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def find(self, reference: str, known_id: str, context: CallContext) -> "Row | Posted | None":
        """The order with its lines; that it was posted; or None.

        By the external document number, and where people have changed that, by the id that is remembered. Raises
        `Permanent` (`<service>-ambiguous`) where two orders with lines carry the same one.
        """
        field = "externalDocumentNumber"
        rows = await self._company.find(ORDERS, field, reference, expand=LINES, context=context)
        if rows:
            return await self._one_of(rows, context)
        if known_id:
            try:
                return await self._company.get(ORDERS, known_id, expand=LINES, context=context)
            except NotFound:
                pass
        for kind in _POSTED:
            posted = await self._company.find(kind, field, reference, context=context)
            if not posted and known_id and kind == "salesInvoices":
                posted = await self._company.posted_of(kind, known_id, context=context)
            if posted:
                return Posted(str(posted[0].get("orderNumber") or posted[0].get("number")))
        return None

    async def _one_of(self, rows: list[Row], context: CallContext) -> Row:
        """The order that has lines, else the first draft; whoever looks comes to the same.

        The other drafts came from requests that were answered too late. They have no line, so no effect, and go.
        """
        filled = [row for row in rows if row[LINES]]
        if len(filled) > 1:
            raise ambiguous(self._company.service, (str(row["number"]) for row in filled))
        chosen = filled[0] if filled else min(rows, key=lambda row: str(row["number"]))
        for surplus in rows:
            if surplus is not chosen:
                try:
                    await self._company.delete(ORDERS, surplus, context=context)
                except NotFound:
                    continue
        return chosen
