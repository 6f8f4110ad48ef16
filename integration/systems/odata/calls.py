"""Calls to a system that speaks OData: rows with their ETags, exact numbers, and creations whose outcome is unknown."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from integration.errors import IntegrationError, Outage, Paused, Throttled
from integration.odata import encode
from integration.transport import Authorizer, CallContext, Request, Response, Sender, validated

Row = Mapping[str, Any]
Failure = Callable[[Response], IntegrationError]

ETAG = "@odata.etag"
_MOST_PAGES = 20
"""So that a service whose pages lead to each other is not read for ever."""


class Tagged(BaseModel, extra="allow"):
    """What every row has."""

    etag: str = Field(alias=ETAG, min_length=1)


class Calls:
    """Sends to one system; raises what the transport raises, and `failure` for every answer that is not 2xx.

    `headers` go with every request; `shape` is what every row of the system has.
    """

    def __init__(
        self,
        sender: Sender,
        service: str,
        authorizer: Authorizer,
        *,
        failure: Failure,
        headers: Mapping[str, str],
        shape: type[BaseModel] = Tagged,
    ) -> None:
        self.service = service
        self._sender = sender
        self._authorizer = authorizer
        self._failure = failure
        self._headers = headers
        self._shape = shape

    def request(
        self,
        operation: str,
        method: str,
        url: str,
        values: Row | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """A request with `values` as its JSON body."""
        sent = {**self._headers, **(headers or {})}
        if values is not None:
            sent["Content-Type"] = "application/json"
        body = None if values is None else encode(values).encode()
        return Request(self.service, operation, method, url, sent, body)

    async def send(self, request: Request, context: CallContext) -> Response:
        """A 2xx answer."""
        answer = await self._sender.send(request, authorizer=self._authorizer, context=context)
        if not answer.ok:
            raise self._failure(answer)
        return answer

    async def page(self, request: Request, context: CallContext) -> list[Row]:
        """The rows of the first page."""
        return validated(_List, await self.send(request, context)).value

    async def pages(self, request: Request, context: CallContext) -> list[Row]:
        """The rows of all pages, for lists that are long and seldom read."""
        rows: list[Row] = []
        count = 0
        async for page in self.each_page(request, context):
            rows += page
            count += 1
            if count == _MOST_PAGES:
                break
        return rows

    async def each_page(
        self, request: Request, context: CallContext, *, url_of: Callable[[str], str] = str
    ) -> AsyncIterator[list[Row]]:
        """The rows page by page.

        `url_of` makes of the link to the next page the URL that is asked, or an empty text to end there.
        """
        while request.url:
            page = validated(_List, await self.send(request, context))
            yield page.value
            request = replace(request, url=url_of(page.next_link or ""))

    async def create(self, request: Request, context: CallContext) -> "Creation":
        """Ask for a new row; what came of it, which may be that nobody knows."""
        try:
            answer = await self._sender.send(request, authorizer=self._authorizer, context=context)
        except IntegrationError as error:
            return Creation(error=error, unknown=not _was_not_sent(error))
        if not answer.ok:
            return Creation(error=self._failure(answer), unknown=not was_not_done(answer))
        return Creation(row=self.row(answer))

    def row(self, answer: Response) -> Row:
        """The body of an answer as a row; an empty one where there is no body."""
        if answer.status == 204:
            return {}
        validated(self._shape, answer)
        row: Row = answer.json()
        return row


def error_of(response: Response) -> Mapping[str, Any]:
    """What an answer says under `error`; nothing for an answer that may be anybody's."""
    try:
        content = response.json() if response.is_json else None
    except Outage:
        return {}
    error = content.get("error") if isinstance(content, Mapping) else None
    return error if isinstance(error, Mapping) else {}


class Creation:
    """What came of a creation: a row, or an error; `unknown` where something may have been created all the same."""

    def __init__(self, *, row: Row | None = None, error: IntegrationError | None = None, unknown: bool = False) -> None:
        self.row = row
        self.error = error
        self.unknown = unknown


def differing(row: Row, wanted: Row) -> dict[str, Any]:
    """What of `wanted` the row does not have yet; numbers are compared by value."""
    return {name: value for name, value in wanted.items() if not _same(row.get(name), value)}


def was_not_done(response: Response) -> bool:
    """Whether an answer says that nothing was done: a refusal, or a request that was not let in.

    408 ends an operation that has run for too long, and 5xx says nothing of what was done before.
    """
    return 400 <= response.status < 500 and response.status != 408


def _was_not_sent(error: IntegrationError) -> bool:
    """Held back on this side, or without a token: it never left."""
    return isinstance(error, Paused | Throttled) or "-sign-in-" in error.reason or error.reason == "host-not-allowed"


def _same(has: Any, wanted: Any) -> bool:
    if isinstance(has, int | Decimal) and isinstance(wanted, int | Decimal):
        return has == wanted
    return bool(has == wanted)


class _List(BaseModel):
    value: list[Row]
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
