"""What becomes of an event: a pure function of what is remembered, the event, and what its handler reported.

The table is in the documentation (decisions.md); tests/unit/integration/worker/test_decision.py goes through all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from integration.errors import Fenced, IntegrationError, Outage, Permanent, Postponed, Transient
from integration.events import IntegrationEvent
from integration.ledger import DeadLetter, Memory, State
from integration.ledger.memory import RETURNS
from integration.transport import RetryPolicy


@dataclass(frozen=True, slots=True)
class Done:
    """The handler came to its end.

    `drove` where it did anything outside, `agrees` where the other systems have the state of the row, `deleted` where
    there is no row any more.
    """

    state: State
    detail: str
    drove: bool = False
    agrees: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised."""

    error: Exception


Report: TypeAlias = Done | Failed


@dataclass(frozen=True, slots=True)
class Settle:
    """Write down that the event ended, then publish it."""

    state: State
    detail: str
    acted: bool = False
    agrees: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The event had ended before; what was done for the row now is kept, its state stays."""

    state: State
    acted: bool


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Schedule a copy for `due`; `first_failed_at` travels with it, moved on by the time that does not count.

    `known` says that the event had ended before: its state stays as it is.
    """

    due: datetime
    first_failed_at: datetime | None
    error: Transient
    known: bool


@dataclass(frozen=True, slots=True)
class ToDeadLetter:
    """Write down why, report it, and let the message go to the dead-letter queue."""

    reason: str
    detail: str
    error: Exception


@dataclass(frozen=True, slots=True)
class PassOn:
    """The event was dead-lettered before, and its message is on its way to the dead-letter queue."""

    letter: DeadLetter


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Another invocation works on the record: end without a trace."""


Decision: TypeAlias = Settle | Duplicate | RetryAt | ToDeadLetter | Withdraw


def on_arrival(memory: Memory, event: IntegrationEvent) -> PassOn | None:
    """`PassOn` for a message on its way to the dead-letter queue, else None: the event is worked on."""
    letter = memory.dead_letters.get(event.event_id)
    if letter is None or letter.returns >= RETURNS or letter.has_arrived(event.attempt):
        return None
    return PassOn(letter)


def decide(  # noqa: PLR0911 -- one return for each row of the table
    memory: Memory | None,
    event: IntegrationEvent,
    report: Report,
    *,
    now: datetime,
    policy: RetryPolicy,
    draw: Callable[[], float],
) -> Decision:
    """What becomes of the event; `memory` is None where the ledger could not be read, `draw` draws from [0, 1)."""
    known = memory.recent.get(event.event_id) if memory is not None else None
    if isinstance(report, Done):
        if known is not None:
            return Duplicate(known, report.drove)
        return Settle(report.state, report.detail, report.drove, report.agrees, report.deleted)
    error = report.error
    reason, detail = explained(error)
    if isinstance(error, Fenced):
        return Withdraw()
    if isinstance(error, Transient):
        retry = _retry(event, error, known is not None, now=now, policy=policy, draw=draw)
        if retry is not None:
            return retry
        given_up = _given_up(event, error, now)
        reason, detail = given_up.reason, str(given_up)
    if known is not None:
        return Duplicate(known, acted=False)
    if memory is not None and memory.acted_after(event.operation_time):
        return Settle(State.SUPERSEDED, f"by event {memory.acted_by}, a later change of the record")
    return ToDeadLetter(reason, detail, error)


def ended_as(decision: Decision) -> tuple[State | None, str]:
    """The state of the event after this attempt (None: it stays what it is), and the reason, if the attempt failed."""
    match decision:
        case Settle() | Duplicate():
            return decision.state, ""
        case RetryAt():
            return (None if decision.known else State.WAITING), decision.error.reason
        case ToDeadLetter():
            return State.DEAD_LETTERED, decision.reason
        case Withdraw():
            return None, Fenced.reason


def explained(error: Exception) -> tuple[str, str]:
    """Reason and description. The message of an unforeseen error may hold data, so only its type is kept."""
    if isinstance(error, IntegrationError):
        return error.reason, str(error)
    return "unexpected-error", f"{type(error).__name__}: a defect; the log of this event has the trace"


def _given_up(event: IntegrationEvent, error: Transient, now: datetime) -> Permanent:
    failing_for = now - (event.first_failed_at or now)
    return Permanent(
        f"gave up after {event.attempt} attempts in {failing_for}: {error}",
        reason="retries-exhausted",
        service=error.service,
    )


def _retry(
    event: IntegrationEvent,
    error: Transient,
    known: bool,
    *,
    now: datetime,
    policy: RetryPolicy,
    draw: Callable[[], float],
) -> RetryAt | None:
    outage = isinstance(error, Outage)
    since = event.first_failed_at
    delay: timedelta | None
    if isinstance(error, Postponed):
        delay = timedelta(seconds=error.retry_after or 0.0)
    elif outage:
        delay = policy.delay(event.attempt, error.retry_after, draw)
    else:
        since = since or now
        delay = policy.next_delay(event.attempt, now - since, error.retry_after, draw)
    if delay is None:
        return None
    due = now + delay
    return RetryAt(due, since + delay if outage and since else since, error, known)
