"""JSON calls to a REST system: the common part of the clients of the ERP and of credit scoring."""

from dataclasses import dataclass
from urllib.parse import unquote

from integration.errors import IntegrationError, NotFound
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
    return failure(response, own=True, detail=str(problem))


_NOT_FOUND = "not-found"
