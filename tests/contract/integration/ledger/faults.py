"""A transport on which calls get lost, before they arrive or after."""

from collections.abc import Callable
from enum import StrEnum

from integration.clock import SystemClock
from integration.errors import Outage
from integration.tables import Account
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Host, Limits, Request, Response, Transport


class Fault(StrEnum):
    """What becomes of a call: it does not arrive; it is done and nobody hears of it; it is sent again after that."""

    AWAY = "away"
    ANSWER_LOST = "lost"
    SENT_TWICE = "twice"


class FaultyTransport(Transport):
    """Does to the next calls what `faults` says, one fault a call, of those that `concerns` picks; `sent` counts."""

    def __init__(self, account: Account) -> None:
        super().__init__([Host(account.endpoint, limits=Limits(total=20))], clock=SystemClock())
        self.faults: list[Fault] = []
        self.concerns: Callable[[Request], bool] = lambda request: request.method != "GET"
        self.away = False
        self.sent: list[str] = []

    def break_next(self, fault: str) -> None:
        """Do this to the next call, or nothing."""
        self.faults = [Fault(fault)] if fault else []

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        if self.away:
            raise _outage()
        fault = self.faults.pop(0) if self.faults and self.concerns(request) else None
        if fault is Fault.AWAY:
            raise _outage()
        self.sent.append(f"{request.method} {request.operation}")
        answer = await super().send(request, authorizer=authorizer, context=context)
        if fault is Fault.ANSWER_LOST:
            raise _outage()
        if fault is Fault.SENT_TWICE:
            answer = await super().send(request, authorizer=authorizer, context=context)
        return answer


def _outage() -> Outage:
    return Outage("the ledger cannot be reached", reason="ledger-unreachable", service="ledger")
