"""JSON calls to a REST system: the common part of the clients of the ERP and of credit scoring."""

from dataclasses import dataclass
from urllib.parse import unquote

from integration.errors import IntegrationError, NotFound, Permanent
from integration.systems.messages import Message
from integration.transport import Authorizer, CallContext, Request, Response, Sender, failure
from integration.transport.problem import problem_of


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
    if response.status in {400, 409, 422}:
        kind, word = _meaning(problem.kind)
        if word != "rejected":
            return kind(
                f"{request.service} answered {response.status} to '{request.operation}': {problem}",
                reason=f"{request.service}-{word}",
                service=request.service,
            )
    return failure(response, own=True, detail=str(problem))


def _meaning(named: str) -> tuple[type[Permanent], str]:
    """The error for a refusal whose problem has a type that the contract names."""
    for pattern, meaning in (
        ("customer-blocked", (Permanent, "customer-blocked")),
        ("period-closed", (Permanent, "period-closed")),
        ("value-unknown", (Permanent, "value-unknown")),
        ("value-too-long", (Permanent, "value-too-long")),
        ("value-invalid", (Permanent, "value-invalid")),
        ("order-posted", (Permanent, "order-posted")),
        ("order-confirmed", (Permanent, "order-confirmed")),
    ):
        if named == pattern:
            return meaning
    return Permanent, "rejected"


_NOT_FOUND = "not-found"
