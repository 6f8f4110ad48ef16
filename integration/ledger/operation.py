"""What the ledger knows about one event."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where an event is on its way; the last four are final."""

    ACCEPTED = "accepted"
    PROCESSING = "processing"
    WAITING = "waiting"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"
    NO_HANDLER = "no-handler"
    DEAD_LETTERED = "dead-lettered"

    @property
    def final(self) -> bool:
        return self in {State.COMPLETED, State.SUPERSEDED, State.NO_HANDLER, State.DEAD_LETTERED}


@dataclass(frozen=True, slots=True)
class Step:
    """One effect of an event.

    `state` is started or done, `answer` what the other side said, `basis` a digest of what it was asked with.
    """

    name: str
    state: str
    at: datetime
    detail: str
    basis: str
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One event as the ledger has it; times are UTC. `caller` sent it to the intake, where that is known."""

    event_id: str
    correlation_id: str
    organisation: str
    table: str
    record_id: str | None
    message: str
    state: State
    accepted_time: datetime
    attempts: int
    next_attempt: datetime | None
    reason: str | None
    detail: str | None
    history: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]
    caller: str | None = None
