"""Answers checks in the time that a user waits, whatever the other systems do.

A question has a limit of its own, and so many are under way at once and no more: a system that hangs makes nobody wait
longer, and keeps no instance from its other work. A question whose time is over is answered; what was asked of a system
goes on, so that an answer that was charged is kept for the next try.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.errors import Fault, IntegrationError, Rejected, Transient
from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.flow.handler import Tools
from integration.intake import DataverseContexts, IntakeRequest, TakingIn
from integration.ledger import Ledger
from integration.synchronous.asked import Asked
from integration.synchronous.check import ALLOWED, Check, CheckResult
from integration.telemetry import get_logger
from integration.transport import CallContext

SOURCE: Final = "custom"
_GRACE_SECONDS: Final = 30.0
"""How long the calls of a question may go on after it was answered."""
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """The result, and whether the check gave it; otherwise there was no answer in time."""

    result: CheckResult
    by_check: bool = True


class Answering:
    """Answers by the checks of these names. `seconds` is the limit of a question, `at_once` how many may be under way.

    Raises `Rejected` (400 to 429) or `Unavailable` (503) for requests that are no question of a caller.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        taking_in: TakingIn,
        contexts: DataverseContexts,
        *,
        tools: Tools,
        ledger: Ledger,
        clock: Clock,
        seconds: float,
        at_once: int,
    ) -> None:
        self._checks = checks
        self._taking_in = taking_in
        self._contexts = contexts
        self._tools = tools
        self._ledger = ledger
        self._clock = clock
        self._seconds = seconds
        self._at_once = at_once
        self._under_way: set[asyncio.Task[CheckResult]] = set()

    async def answer(self, name: str, request: IntakeRequest) -> Answered:
        """The answer to what Dataverse asks the check `name`; of a message about several rows, the first refusal."""
        started = self._clock.monotonic()

        def read(request: IntakeRequest, caller: str) -> list[IntegrationEvent]:
            if name not in self._checks:
                known = ", ".join(sorted(self._checks)) or "none"
                raise Rejected(404, "Unknown check", f"There is no check of that name; the known names are: {known}.",
                               reason="unknown-check")  # fmt: skip
            events = self._contexts.read_whole(parse_body(request.body), request.headers)
            _check_table(name, self._checks[name], events)
            self._taking_in.check_tables(events, caller)
            self._taking_in.check_organisations(events)
            return self._contexts.foreign(events, caller)

        _, events = await self._taking_in.admitted(request, SOURCE, read)
        for event in events:
            answered = await self._in_time(name, event, started)
            if not answered.result.allowed:
                return answered
        return Answered(ALLOWED)

    async def _in_time(self, name: str, event: IntegrationEvent, started: float) -> Answered:
        if len(self._under_way) >= self._at_once:
            busy = Transient("as many questions as allowed are under way", reason="too-many-questions")
            return self._unanswered(name, event, busy)
        task = asyncio.create_task(self._asked(name, event))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        left = self._seconds - (self._clock.monotonic() - started)
        done, _ = await asyncio.wait({task}, timeout=max(0.0, left))
        if not done:
            late = Transient("the time of the question was over", reason="deadline-exceeded")
            return self._unanswered(name, event, late)
        error = task.exception()
        if isinstance(error, IntegrationError):
            return self._unanswered(name, event, error)
        if error is not None:
            _log.error("custom-failed", event=event, operation=name, error=error)
            return self._unanswered(name, event, Transient("the check has failed", reason="unexpected-error"))
        outcome = "allowed" if task.result().allowed else "refused"
        duration = (self._clock.monotonic() - started) * 1000
        _log.info("custom-answered", event=event, operation=name, outcome=outcome, duration_ms=duration)
        return Answered(task.result())

    def _unanswered(self, name: str, event: IntegrationEvent, error: IntegrationError) -> Answered:
        check = self._checks[name]
        _log.warning("custom-unanswered", event=event, operation=name, error=error)
        result = ALLOWED if check.allow_unanswered else CheckResult(allowed=False, message=check.unavailable)
        return Answered(result, by_check=False)

    async def _asked(self, name: str, event: IntegrationEvent) -> CheckResult:
        context = CallContext.of(event, deadline=self._clock.monotonic() + self._seconds + _GRACE_SECONDS)
        asked = Asked(event, context, tools=self._tools, ledger=self._ledger, clock=self._clock)
        return await self._checks[name].ask(asked)

    def _ended(self, task: asyncio.Task[CheckResult]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has been answered; asyncio is not to warn


def _check_table(name: str, check: Check, events: Sequence[IntegrationEvent]) -> None:
    """Raise `Rejected` (400, not-its-table) for a step that was registered for another table."""
    if check.table is not None and any(event.table != check.table for event in events):
        raise Rejected(
            400,
            "Not a row of this check",
            f"The check {name} is about rows of {check.table}: register its step for that table.",
            faults=(Fault("/PrimaryEntityName", f"must be {check.table}"),),
            reason="not-its-table",
        )
