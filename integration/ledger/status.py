"""What people see of one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal


class State(StrEnum):
    """How far an event has come."""

    ACCEPTED = "accepted"
    PROCESSING = "processing"
    WAITING = "waiting"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"
    NO_HANDLER = "no-handler"
    DEAD_LETTERED = "dead-lettered"
    RESOLVED = "resolved"
    RESUBMITTED = "resubmitted"
    DISCARDED = "discarded"

    @property
    def final(self) -> bool:
        """Whether the event has ended; only a person's request or a later event of the record changes that."""
        return self not in {State.ACCEPTED, State.PROCESSING, State.WAITING}

    @property
    def settled(self) -> bool:
        """Whether the event has ended and everything that was to be done is done."""
        return self in {State.COMPLETED, State.SUPERSEDED, State.NO_HANDLER}

    @property
    def outcome(self) -> Literal["pending", "done", "failed"]:
        """What a sender has to know: whether there is something to wait for, nothing to do, or a person is needed."""
        if self in {State.DEAD_LETTERED, State.DISCARDED}:
            return "failed"
        return "done" if self.settled or self is State.RESOLVED else "pending"


@dataclass(frozen=True, slots=True)
class Step:
    """One effect of an event: its name, `started` or `done`, the time, and its result in a few words."""

    name: str
    state: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EventStatus:
    """One event as the ledger shows it; times are UTC.

    `cause` is why the app made the event itself. `history` has what went wrong at each of the last twenty failed
    attempts. `resolved_by`, `replay_of` and `replayed_by` are ids of other events. Under `traceparent` its trace goes
    on.
    """

    event_id: str
    correlation_id: str
    organisation: str
    table: str
    record_id: str | None
    message: str
    state: State
    accepted_time: datetime
    attempts: int = 0
    caller: str | None = None
    changed_time: datetime | None = None
    next_attempt: datetime | None = None
    reason: str | None = None
    detail: str | None = None
    system: str | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    steps: tuple[Step, ...] = ()
    published_time: datetime | None = None
    resolved_by: str | None = None
    replay_of: str | None = None
    replayed_by: str | None = None
    note: str | None = None
    cause: str | None = None
    traceparent: str | None = None

    @property
    def session_id(self) -> str:
        """The record's key in the ledger, and its session in the work queue."""
        return f"{self.table}:{self.record_id}" if self.record_id else self.event_id
