"""Any system that keeps the REST contract of this project: its resources under our ids, brought to a state."""

from typing import TypeVar

from integration.errors import IntegrationError, NotFound, Stale
from integration.systems.messages import Message
from integration.systems.rest.calls import RestSystem, rest_failure
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Response, Sender, validated
from integration.transport.problem import problem_of

Answered = TypeVar("Answered", bound=Message)


class Resources:
    """Client of a system by paths below its base address, such as `prospects/<id>`.

    Every write carries an Idempotency-Key: the same key with the same content has one effect, however often it is sent.
    Raises what the transport raises; for refusals see `rest_failure`, and `Stale` when the system already holds a newer
    `sourceVersion` (409, problem `stale-version`).
    """

    def __init__(self, sender: Sender, service: str, authorizer: Authorizer, base_url: str) -> None:
        self._system = RestSystem(sender, service, base_url.rstrip("/"), authorizer)

    async def get(self, path: str, answer: type[Answered], *, context: CallContext = NO_CONTEXT) -> Answered:
        """The resource as the system has it; raises `NotFound`."""
        return validated(answer, await self._call("GET", path, None, None, context))

    async def put(
        self,
        path: str,
        body: Message,
        answer: type[Answered],
        *,
        key: str,
        context: CallContext = NO_CONTEXT,
        force: bool = False,
    ) -> Answered:
        """Create the resource or bring it to this state; `force`: also where the system holds a newer version."""
        forced = f"{path}?force=true" if force else path
        return validated(answer, await self._call("PUT", forced, body, key, context))

    async def post(
        self, path: str, body: Message, answer: type[Answered], *, key: str, context: CallContext = NO_CONTEXT
    ) -> Answered:
        """Ask for something that has no address of its own."""
        return validated(answer, await self._call("POST", path, body, key, context))

    async def delete(self, path: str, *, key: str, context: CallContext = NO_CONTEXT) -> bool:
        """Remove the resource; whether there was one."""
        try:
            await self._call("DELETE", path, None, key, context)
        except NotFound:
            return False
        return True

    async def _call(
        self, method: str, path: str, body: Message | None, key: str | None, context: CallContext
    ) -> Response:
        operation = f"{method.lower()} {path.partition('?')[0].partition('/')[0]}"
        answer = await self._system.call(operation, method, f"/{path}", body, key=key, context=context)
        if not answer.ok:
            raise _refusal(answer)
        return answer


def _refusal(answer: Response) -> IntegrationError:
    problem = problem_of(answer)
    if answer.status == 409 and problem is not None and problem.kind == "stale-version":
        service = answer.request.service
        return Stale(f"{service} already holds a newer version ('{answer.request.operation}')", service=service)
    return rest_failure(answer)
