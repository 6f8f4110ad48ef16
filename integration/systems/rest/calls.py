"""JSON calls to a REST system: the common part of the clients of the ERP and of credit scoring."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from integration.errors import IntegrationError, NotFound, Outage
from integration.systems.messages import Message
from integration.transport import Authorizer, CallContext, Request, Response, Sender, failure


@dataclass(frozen=True, slots=True)
class RestSystem:
    """One system: its name in errors and logs, its base address, and how our calls are authorised."""

    sender: Sender
    service: str
    base_url: str
    authorizer: Authorizer

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        body: Message | None = None,
        *,
        key: str | None = None,
        context: CallContext,
    ) -> Response:
        """Send only those properties of `body` that were set; `key` becomes the Idempotency-Key."""
        headers: dict[str, str] = {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None if body is None else body.model_dump_json(by_alias=True, exclude_unset=True).encode()
        request = Request(self.service, operation, method, self.base_url + path, headers, content)
        return await self.sender.send(request, authorizer=self.authorizer, context=context)


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem: the last word of its type, and its detail on one line, cut short."""

    kind: str
    detail: str = ""


def problem_of(response: Response) -> Problem | None:
    """The problem that the system itself reports; None if the answer is not in its own words.

    A system's own problem is `application/problem+json` with a type of its own. `about:blank` and types that only
    repeat the HTTP status do not count: web frameworks and gateways answer so for addresses that the system does not
    know.
    """
    if response.media_type != "application/problem+json":
        return None
    try:
        content = response.json()
    except Outage:
        return None
    kind = content.get("type") if isinstance(content, Mapping) else None
    if not isinstance(kind, str) or not (word := _last_word(kind)):
        return None
    detail = " ".join(str(content.get("detail") or content.get("title") or "").split())
    return Problem(word, detail[:_LONGEST_DETAIL])


def rest_failure(response: Response) -> IntegrationError:
    """The error for an answer of a REST system that is not 2xx; `NotFound` only for its own problem `not-found`."""
    problem = problem_of(response)
    if problem is None:
        return failure(response, own=False)
    request = response.request
    if response.status in {404, 410} and problem.kind == _NOT_FOUND:
        collection, _, record_id = request.url.partition("?")[0].rpartition("/")
        return NotFound(
            f"{request.service} does not have what '{request.operation}' names",
            reason=f"{request.service}-not-found",
            service=request.service,
            table=collection.rpartition("/")[2],
            record_id=unquote(record_id),
        )
    return failure(response, own=True, detail=problem.detail)


def _last_word(kind: str) -> str:
    """The last part of a problem's type; empty if it only names an HTTP status."""
    try:
        parts = urlsplit(kind)
    except ValueError:
        return ""
    word = parts.path.rstrip("/").rpartition("/")[2]
    if parts.scheme == "about" or (parts.hostname or "").endswith(_ABOUT_STATUSES) or parts.fragment or word.isdigit():
        return ""
    return word


_NOT_FOUND = "not-found"
_ABOUT_STATUSES = ("ietf.org", "rfc-editor.org", "w3.org", "mozilla.org", "httpstatuses.com", "httpstatuses.io")
_LONGEST_DETAIL = 300
