"""How far an event is, and how it ended, for the caller of the intake who has sent it."""

import math
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from integration.clock import Clock
from integration.ledger import EventStatus, Ledger, State
from integration.operations.status import read_if_known, seconds_to_wait, unknown
from integration.public_address import POLL_SECONDS

_LEDGER_MAY_BE_BEHIND: Final = timedelta(hours=1)
_MOST_REPLAYS: Final = 10
_FAILED: Final = {
    State.DEAD_LETTERED: "The app does not try the event again, because of {reason}. Support can repair it; then the "
    "outcome is done.",
    State.DISCARDED: "Support has decided that nothing will be done for the event, which was dead-lettered because of "
    "{reason}.",
}


class EventOutcome(BaseModel):
    """What a sender gets to see: neither the record nor what other systems have said of it."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)

    event_id: str = Field(description="The id that the 202 gave the event.")
    correlation_id: str | None = Field(description="The correlation id of the change that it is about.")
    outcome: Literal["pending", "done", "failed"] = Field(
        description="Whether the event has ended: pending, done (everything is done, or there was nothing left to do) "
        "or failed (it needs a person)."
    )
    state: State = Field(description="The state of the event in the ledger.")
    reason: str | None = Field(description="Why the last attempt failed; a word of the list of reasons.")
    detail: str | None = Field(description="Of an event that failed: what that means, in a sentence.")
    accepted_at: AwareDatetime | None = Field(description="When the app accepted it.")
    attempts: int = Field(ge=0, description="How often the app has tried to carry it out.")
    next_attempt: AwareDatetime | None = Field(description="When it will be tried again.")

    @property
    def ended(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.outcome != "pending"


class Outcomes:
    """Answers for one event; raises `Rejected` (400, 404) and `Transient` where the ledger is away."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def of(self, event_id: str, sender: str) -> tuple[EventOutcome, int]:
        """The outcome, and in how many seconds to ask again while it is pending.

        Others than the sender do not learn that the event exists. An event that was answered with 202 a short while ago
        is accepted, even if the ledger does not know of it yet. An event that support has sent again ends as its
        repetition does.
        """
        operation = await read_if_known(self._ledger, event_id)
        if operation is None and self._is_recent(event_id):
            accepted = EventOutcome(
                event_id=event_id,
                correlation_id=None,
                outcome="pending",
                state=State.ACCEPTED,
                reason=None,
                detail=None,
                accepted_at=None,
                attempts=0,
                next_attempt=None,
            )
            return accepted, POLL_SECONDS
        if operation is None or operation.caller not in (None, sender):
            raise unknown(event_id)
        last = await self._last_of(operation)
        return _outcome(operation, last), math.ceil(seconds_to_wait(last, self._clock.now()))

    async def _last_of(self, operation: EventStatus) -> EventStatus:
        """The event itself, or what it was sent again as, however often."""
        last = operation
        for _ in range(_MOST_REPLAYS):
            if last.state is not State.RESUBMITTED or not last.replayed_by:
                break
            again = await self._ledger.read(last.replayed_by)
            if again is None:
                break
            last = again
        return last

    def _is_recent(self, event_id: str) -> bool:
        """By the minute that the id begins with."""
        try:
            minute = datetime.strptime(event_id[:12], "%Y%m%d%H%M").replace(tzinfo=UTC)
        except ValueError:
            return False
        return abs(self._clock.now() - minute) < _LEDGER_MAY_BE_BEHIND


def _outcome(operation: EventStatus, last: EventStatus) -> EventOutcome:
    detail = _FAILED.get(last.state)
    return EventOutcome(
        event_id=operation.event_id,
        correlation_id=operation.correlation_id,
        outcome=last.state.outcome,
        state=last.state,
        reason=last.reason,
        detail=detail.format(reason=last.reason or "an unknown reason") if detail else None,
        accepted_at=operation.accepted_time,
        attempts=last.attempts,
        next_attempt=last.next_attempt,
    )
