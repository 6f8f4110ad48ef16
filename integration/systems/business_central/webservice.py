"""Calls to API v2.0 of one company."""

from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import quote

from pydantic import Field

from integration.clock import iso
from integration.odata import literal
from integration.systems.business_central.errors import business_central_failure
from integration.systems.odata.calls import ETAG, Calls, Creation, Row, Tagged
from integration.systems.odata.listing import Listed, Listing, listed
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Sender

HEADERS = {"Accept-Language": "en-US"}
"""Error texts in one language: people read them, nothing is decided by them."""


class Company:
    """One company; `base_url` ends with `/api/v2.0`. Raises what the transport raises and `business_central_failure`.

    Nothing is read with `Data-Access-Intent: ReadOnly`: a replica may not know yet what was created a moment ago.
    """

    def __init__(self, sender: Sender, service: str, authorizer: Authorizer, *, base_url: str, company: str) -> None:
        self.service = service
        self._calls = Calls(sender, service, authorizer, failure=business_central_failure, headers=HEADERS, shape=_Row)
        self._root = f"{base_url.rstrip('/')}/companies({quote(company, safe='')})"

    async def find(
        self, kind: str, field: str, value: str, *, expand: str = "", context: CallContext = NO_CONTEXT
    ) -> list[Row]:
        """The rows of a kind whose `field` is `value`, at most the first page of them."""
        path = f"/{kind}?$filter={field}%20eq%20{literal(value)}" + (f"&$expand={expand}" if expand else "")
        return await self._listed(kind, path, context)

    async def all(self, kind: str, *, context: CallContext = NO_CONTEXT) -> list[Row]:
        """The rows of a small kind, at most the first page of them."""
        return await self._listed(kind, f"/{kind}", context)

    async def changed_since(
        self, kind: str, since: datetime, *, page: int, context: CallContext = NO_CONTEXT
    ) -> AsyncIterator[Row]:
        """The rows of a kind that were changed after `since`, page by page."""
        url = f"{self._root}/{kind}?$filter=lastModifiedDateTime%20gt%20{quote(iso(since), safe='')}"
        size = {"Prefer": f"odata.maxpagesize={page}"}
        request = self._calls.request(f"find {kind}", "GET", url, headers=size)
        async for rows in self._calls.each_page(request, context, url_of=self._here):
            for row in rows:
                yield row

    async def listed(self, kind: str, listing: Listing, *, context: CallContext = NO_CONTEXT) -> Listed:
        """The rows that are asked for, filtered and sorted there."""
        url = f"{self._root}/{kind}?{listing.options()}"
        return await listed(self._calls, kind, url, listing, context, url_of=self._here)

    async def posted_of(self, kind: str, order_id: str, *, context: CallContext = NO_CONTEXT) -> list[Row]:
        """What was posted of an order, by the order's id."""
        return await self._listed(kind, f"/{kind}?$filter=orderId%20eq%20{order_id}", context)

    async def get(self, kind: str, row_id: str, *, expand: str = "", context: CallContext = NO_CONTEXT) -> Row:
        """One row; raises `NotFound`."""
        url = f"{self._root}/{kind}({row_id})" + (f"?$expand={expand}" if expand else "")
        return self._calls.row(await self._calls.send(self._calls.request(f"get {kind}", "GET", url), context))

    async def create(self, kind: str, values: Row, *, context: CallContext = NO_CONTEXT) -> Creation:
        """Ask for a new row; what came of it, which may be that nobody knows."""
        request = self._calls.request(f"create {kind}", "POST", f"{self._root}/{kind}", values)
        return await self._calls.create(request, context)

    async def update(self, kind: str, row: Row, values: Row, *, context: CallContext = NO_CONTEXT) -> Row:
        """Change a row that was read, as long as nobody has changed it since; otherwise `Transient` (conflict)."""
        url, etag = self._address(kind, row)
        request = self._calls.request(f"update {kind}", "PATCH", url, values, etag)
        return self._calls.row(await self._calls.send(request, context))

    async def delete(self, kind: str, row: Row, *, context: CallContext = NO_CONTEXT) -> None:
        """Delete a row that was read, as long as nobody has changed it since."""
        url, etag = self._address(kind, row)
        await self._calls.send(self._calls.request(f"delete {kind}", "DELETE", url, headers=etag), context)

    async def _listed(self, kind: str, path: str, context: CallContext) -> list[Row]:
        return await self._calls.page(self._calls.request(f"find {kind}", "GET", self._root + path), context)

    def _here(self, link: str) -> str:
        """The address of a page of this company: the host is the one of the settings, whatever the link says."""
        page = link.partition("/companies(")[2].partition(")/")[2]
        return f"{self._root}/{page}" if page else ""

    def _address(self, kind: str, row: Row) -> tuple[str, dict[str, str]]:
        return f"{self._root}/{kind}({row['id']})", {"If-Match": str(row[ETAG])}


class _Row(Tagged):
    id: str = Field(min_length=1)
