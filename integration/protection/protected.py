"""A sender that protects its system from overload.

A call passes in this order: the breaker (and pauses, by a person or by the system itself), a place among the calls
under way, and the budget of requests. Then it is sent, and its outcome is reported to the breaker.
"""

import asyncio
from collections.abc import Callable, Sequence

from integration.clock import Clock
from integration.errors import IntegrationError, Outage, Paused, Transient
from integration.protection.budget import Budget
from integration.protection.instances import Instances
from integration.protection.limiter import Limiter
from integration.protection.switch import Pass, Switch
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response, Sender


class Protected:
    """Stands between a client and the transport, and sends like the transport.

    In addition to what the transport raises: `Paused` and `Throttled` when nothing may be sent (see `Switch.admit`),
    `Paused` (`<service>-budget-spent`) when this process has sent its share, and `Transient` (`deadline-exceeded`) if
    the deadline of the event passes before there is a place.

    `concurrency` calls may be under way at once in this process. `failure_of` gives the error for an answer that is not
    2xx, and `answers_of` the answers within one, for a system that takes several requests in one. If `instances` are
    counted, `requests` (in five minutes) and `in_all` (calls at once) hold for all of them together, and so does what
    the system recommends in `x-ms-dop-hint` ("Send parallel requests" in the Dataverse developer documentation).
    Instances then also say how many requests they have sent.
    """

    def __init__(
        self,
        sender: Sender,
        switch: Switch,
        *,
        concurrency: int,
        failure_of: Callable[[Response], IntegrationError],
        clock: Clock,
        requests: int | None = None,
        in_all: int | None = None,
        instances: Instances | None = None,
        answers_of: Callable[[Response], Sequence[Response]] = lambda answer: (answer,),
    ) -> None:
        self._sender = sender
        self._switch = switch
        self._concurrency = concurrency
        self._failure_of = failure_of
        self._answers_of = answers_of
        self._clock = clock
        self._requests = requests
        self._budget = None if requests is None else Budget(requests)
        self._instances = instances
        if self._budget is not None and instances is not None:
            budget = self._budget
            instances.counts(switch.service, lambda: budget.spent(clock.monotonic()))
        self._limiter = Limiter(concurrency)
        self._recommended = in_all

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        given = await self._switch.admit()
        if given.probe:
            return await self._watched(given, request, authorizer, context)
        self._limiter.set_limit(min(given.limit, self._share()))
        if not self._limiter.try_enter():
            given = await self._wait(request, context)
        try:
            if not given.probe:
                self._spend(request)
            return await self._watched(given, request, authorizer, context)
        finally:
            self._limiter.leave()

    async def _wait(self, request: Request, context: CallContext) -> Pass:
        """Wait for a place, then ask the switch again, because the state may have changed during the wait."""
        left = None if context.deadline is None else context.deadline - self._clock.monotonic()
        try:
            async with asyncio.timeout(left):
                await self._limiter.enter()
        except TimeoutError as error:
            raise Transient(
                f"the time for the event was over before '{request.operation}' could be sent to {request.service}",
                reason="deadline-exceeded",
                service=request.service,
            ) from error
        try:
            given = await self._switch.admit()
        except BaseException:
            self._limiter.leave()
            raise
        self._limiter.set_limit(min(given.limit, self._share()))
        return given

    async def _watched(
        self, given: Pass, request: Request, authorizer: Authorizer | None, context: CallContext
    ) -> Response:
        try:
            answer = await self._sender.send(request, authorizer=authorizer, context=context)
        except BaseException as error:
            await self._switch.saw(given, error)
            raise
        errors = [self._error_in(it) for it in self._answers_of(answer)]
        await self._switch.saw(given, next((it for it in errors if isinstance(it, Outage)), errors[0]))
        hint = answer.headers.get("x-ms-dop-hint", "")
        if hint.isascii() and hint.isdigit():
            self._recommended = int(hint)
        return answer

    def _error_in(self, answer: Response) -> IntegrationError | None:
        if not answer.ok:
            return self._failure_of(answer)
        if answer.body and not answer.is_json:
            return Outage("a page where JSON should be", reason=f"{answer.request.service}-answer-unreadable")
        return None

    def _share(self) -> int:
        """How many calls this process may have under way once the system is well."""
        if self._instances is None or self._recommended is None:
            return self._concurrency
        return max(1, min(self._concurrency, self._recommended // self._instances.count()))

    def _spend(self, request: Request) -> None:
        if self._budget is None or self._requests is None:
            return
        if self._instances is not None:
            self._budget.set_requests(self._requests // self._instances.count())
        wait = self._budget.spend(self._clock.monotonic())
        if wait > 0:
            service = request.service
            raise Paused(
                f"this instance has sent {service} its share of requests; '{request.operation}' was not sent",
                reason=f"{service}-budget-spent",
                service=service,
                retry_after=wait,
            )
