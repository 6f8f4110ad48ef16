"""Calls to the data entities of one legal entity."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from integration.errors import NotFound, Permanent
from integration.odata import literal
from integration.systems.finance_operations.change_set import Change, encoded, parts_of
from integration.systems.finance_operations.errors import finance_operations_failure
from integration.systems.odata.calls import ETAG, Calls, Creation, Row
from integration.systems.odata.listing import Listed, Listing, listed
from integration.systems.odata.refusals import conflict
from integration.transport import Authorizer, CallContext, Request, Response, Sender

CUSTOMERS, ORDERS, LINES = "CustomersV3", "SalesOrderHeadersV2", "SalesOrderLines"
INVOICES = "SalesInvoiceHeadersV2"
KEYS = {CUSTOMERS: "CustomerAccount", ORDERS: "SalesOrderNumber", LINES: "InventoryLotId"}
"""The part of each key beside the legal entity."""
_ALL = "?cross-company=true"
"""Without it, only the default company of the app's user is there."""


class Company:
    """One legal entity (`dataAreaId`); `base_url` is that of the environment.

    Raises what the transport raises and `finance_operations_failure`. What carries a key is looked up with a filter: a
    list without rows is an answer in the service's own words, a 404 may be anybody's.
    """

    def __init__(self, sender: Sender, service: str, authorizer: Authorizer, *, base_url: str, company: str) -> None:
        self.service = service
        self._calls = Calls(
            sender,
            service,
            authorizer,
            failure=finance_operations_failure,
            headers={"Accept": "application/json;odata.metadata=minimal", "OData-Version": "4.0"},
        )
        self._root = f"{base_url.rstrip('/')}/data"
        self._company = company

    async def find(self, kind: str, fields: dict[str, str], context: CallContext, *, expand: str = "") -> list[Row]:
        """The rows of a kind of which one of the `fields` has the value that is given."""
        any_of = "%20or%20".join(f"{field}%20eq%20{literal(value)}" for field, value in fields.items())
        path = f"{_ALL}&$filter=dataAreaId%20eq%20{literal(self._company)}%20and%20({any_of})"
        url = f"{self._root}/{kind}{path}" + (f"&$expand={expand}" if expand else "")
        return await self._calls.page(self._calls.request(f"find {kind}", "GET", url), context)

    async def shared(self, kind: str, context: CallContext) -> list[Row]:
        """The rows of a kind that all legal entities share."""
        request = self._calls.request(f"find {kind}", "GET", f"{self._root}/{kind}")
        return await self._calls.pages(request, context)

    async def listed(self, kind: str, listing: Listing, *, context: CallContext) -> Listed:
        """The rows of the legal entity that are asked for, filtered and sorted there."""
        of_company = f"dataAreaId eq '{self._company}'"
        narrowed = f"{of_company} and ({listing.filter})" if listing.filter else of_company
        url = f"{self._root}/{kind}{_ALL}&{replace(listing, filter=narrowed).options()}"
        return await listed(self._calls, kind, url, listing, context)

    async def create(self, kind: str, values: Row, context: CallContext) -> Creation:
        """Ask for a new row; what came of it, which may be that nobody knows."""
        body = {"dataAreaId": self._company, **values}
        request = self._calls.request(f"create {kind}", "POST", f"{self._root}/{kind}{_ALL}", body)
        return await self._calls.create(request, context)

    async def update(self, kind: str, row: Row, values: Row, context: CallContext) -> None:
        """Change a row that was read, as long as nobody has changed it since; otherwise `Transient` (conflict)."""
        etag = {"If-Match": str(row[ETAG])}
        request = self._calls.request(f"update {kind}", "PATCH", self._address(kind, row), values, etag)
        try:
            await self._calls.send(request, context)
        except Permanent as refused:
            await self._refuse(refused, kind, row, context)

    async def delete(self, kind: str, row: Row, context: CallContext) -> None:
        """Delete a row that was read, as long as nobody has changed it since; fine where it is no longer there."""
        etag = {"If-Match": str(row[ETAG])}
        request = self._calls.request(f"delete {kind}", "DELETE", self._address(kind, row), headers=etag)
        try:
            await self._calls.send(request, context)
        except NotFound as absent:
            if await self._now(kind, row, context) is not None:
                raise conflict(self.service, str(absent)) from absent

    def addition(self, kind: str, values: Row) -> Change:
        """A new row, for `together`."""
        return Change("POST", f"{self._root}/{kind}{_ALL}", {"dataAreaId": self._company, **values})

    def change(self, kind: str, row: Row, values: Row) -> Change:
        """A change of a row that was read, for `together`."""
        return Change("PATCH", self._address(kind, row), values, str(row[ETAG]))

    async def together(self, header: Row, changes: Sequence[Change], context: CallContext) -> list[Row]:
        """Changes of one order, done together or not at all; the rows that the answers have, {} for one without.

        `Transient` (conflict) where a row has changed since it was read.
        """
        kind, body = encoded(changes)
        url = f"{self._root}/$batch"
        request = Request(self.service, f"change {ORDERS}", "POST", url, {"Content-Type": kind}, body)
        parts = parts_of(await self._calls.send(request, context), len(changes))
        if not parts[0].ok:
            refused = finance_operations_failure(parts[0])
            if isinstance(refused, Permanent):
                await self._refuse(refused, ORDERS, header, context)
            raise refused
        return [_body(part) for part in parts]

    async def _refuse(self, refused: Permanent, kind: str, row: Row, context: CallContext) -> None:
        """Raise what was refused; a conflict where the row has changed, whatever the refusal says."""
        now = await self._now(kind, row, context)
        if now is None or now[ETAG] != row[ETAG]:
            raise conflict(self.service, str(refused)) from refused
        raise refused

    async def _now(self, kind: str, row: Row, context: CallContext) -> Row | None:
        """A row that was read, as it is now."""
        key = KEYS[kind]
        rows = await self.find(kind, {key: str(row[key])}, context)
        return rows[0] if rows else None

    def _address(self, kind: str, row: Row) -> str:
        key = KEYS[kind]
        return f"{self._root}/{kind}(dataAreaId={literal(self._company)},{key}={literal(str(row[key]))}){_ALL}"


def _body(part: Response) -> Row:
    body: Any = part.json() if part.body and part.is_json else {}
    return body if isinstance(body, dict) else {}
