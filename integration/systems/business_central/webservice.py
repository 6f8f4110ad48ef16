"""Calls to API v2.0 of one company: rows with their ETags, exact numbers, and errors in Business Central's words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field

from integration.errors import IntegrationError, Paused, Throttled
from integration.odata import encode, literal
from integration.systems.business_central.errors import business_central_failure, was_not_done
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Sender, validated

Row = Mapping[str, Any]

_HEADERS = {"Accept-Language": "en-US"}
"""Error texts in one language: people read them, nothing is decided by them."""


class Company:
    """One company; `base_url` ends with `/api/v2.0`. Raises what the transport raises and `business_central_failure`.

    Nothing is read with `Data-Access-Intent: ReadOnly`: a replica may not know yet what was created a moment ago.
    """

    def __init__(self, sender: Sender, service: str, authorizer: Authorizer, *, base_url: str, company: str) -> None:
        self.service = service
        self._sender = sender
        self._authorizer = authorizer
        self._root = f"{base_url.rstrip('/')}/companies({quote(company, safe='')})"

    async def find(
        self, kind: str, field: str, value: str, *, expand: str = "", context: CallContext = NO_CONTEXT
    ) -> list[Row]:
        """The rows of a kind whose `field` is `value`, at most the first page of them."""
        path = f"/{kind}?$filter={field}%20eq%20{literal(value)}" + (f"&$expand={expand}" if expand else "")
        return (await self._listed(kind, path, context)).value

    async def all(self, kind: str, *, context: CallContext = NO_CONTEXT) -> list[Row]:
        """The rows of a small kind, at most the first page of them."""
        return (await self._listed(kind, f"/{kind}", context)).value

    async def posted_of(self, kind: str, order_id: str, *, context: CallContext = NO_CONTEXT) -> list[Row]:
        """What was posted of an order, by the order's id."""
        return (await self._listed(kind, f"/{kind}?$filter=orderId%20eq%20{order_id}", context)).value

    async def get(self, kind: str, row_id: str, *, expand: str = "", context: CallContext = NO_CONTEXT) -> Row:
        """One row; raises `NotFound`."""
        path = f"/{kind}({row_id})" + (f"?$expand={expand}" if expand else "")
        return _row(await self._checked(self._request(f"get {kind}", "GET", path), context))

    async def create(self, kind: str, values: Row, *, context: CallContext = NO_CONTEXT) -> "Creation":
        """Ask for a new row; what came of it, which may be that nobody knows."""
        request = self._request(f"create {kind}", "POST", f"/{kind}", values)
        try:
            answer = await self._sender.send(request, authorizer=self._authorizer, context=context)
        except IntegrationError as error:
            return Creation(error=error, unknown=not _was_not_sent(error))
        if not answer.ok:
            return Creation(error=business_central_failure(answer), unknown=not was_not_done(answer))
        return Creation(row=_row(answer))

    async def update(self, kind: str, row: Row, values: Row, *, context: CallContext = NO_CONTEXT) -> Row:
        """Change a row that was read, as long as nobody has changed it since; otherwise `Transient` (conflict)."""
        etag = {"If-Match": str(row["@odata.etag"])}
        return _row(
            await self._checked(
                self._request(f"update {kind}", "PATCH", f"/{kind}({row['id']})", values, etag), context
            )
        )

    async def delete(self, kind: str, row: Row, *, context: CallContext = NO_CONTEXT) -> None:
        """Delete a row that was read, as long as nobody has changed it since."""
        etag = {"If-Match": str(row["@odata.etag"])}
        await self._checked(self._request(f"delete {kind}", "DELETE", f"/{kind}({row['id']})", headers=etag), context)

    async def _listed(self, kind: str, path: str, context: CallContext) -> "_List":
        return validated(_List, await self._checked(self._request(f"find {kind}", "GET", path), context))

    async def _checked(self, request: Request, context: CallContext) -> Response:
        answer = await self._sender.send(request, authorizer=self._authorizer, context=context)
        if not answer.ok:
            raise business_central_failure(answer)
        return answer

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        values: Row | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        sent = {**_HEADERS, **(headers or {})}
        if values is not None:
            sent["Content-Type"] = "application/json"
        body = None if values is None else encode(values).encode()
        return Request(self.service, operation, method, self._root + path, sent, body)


class Creation:
    """What came of a creation: a row, or an error; `unknown` where something may have been created all the same."""

    def __init__(self, *, row: Row | None = None, error: IntegrationError | None = None, unknown: bool = False) -> None:
        self.row = row
        self.error = error
        self.unknown = unknown


def differing(row: Row, wanted: Row) -> dict[str, Any]:
    """What of `wanted` the row does not have yet; numbers are compared by value."""
    return {name: value for name, value in wanted.items() if not _same(row.get(name), value)}


def _same(has: Any, wanted: Any) -> bool:
    if isinstance(has, int | Decimal) and isinstance(wanted, int | Decimal):
        return has == wanted
    return bool(has == wanted)


def _was_not_sent(error: IntegrationError) -> bool:
    """Held back on this side, or without a token: it never left."""
    return isinstance(error, Paused | Throttled) or "-sign-in-" in error.reason or error.reason == "host-not-allowed"


class _Row(BaseModel, extra="allow"):
    id: str = Field(min_length=1)
    etag: str = Field(alias="@odata.etag", min_length=1)


class _List(BaseModel):
    value: list[Row]


def _row(answer: Response) -> Row:
    """The body of an answer as a row that has its id and its ETag; an empty one where there is no body."""
    if answer.status == 204:
        return {}
    validated(_Row, answer)
    row: Row = answer.json()
    return row
