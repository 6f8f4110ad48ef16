"""Where an event is and what happened to it, from the ledger."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from integration.clock import Clock, iso
from integration.errors import Fault, Rejected
from integration.events import kept_correlation_id
from integration.ledger import EventStatus, Ledger
from integration.ledger.queries import Queries
from integration.operations.masking import masked
from integration.public_address import POLL_SECONDS

EVENT_ID: Final = re.compile(r"(\d{12}|unreadable)-[0-9a-f]{32}")
_LONGEST_POLL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an event is; until it is settled, `retry_after` says in how many seconds to ask again."""

    body: dict[str, Any]
    settled: bool
    retry_after: int


class StatusQueries:
    """Answers as JSON objects; raises `Rejected` (400, 404) and `Transient` where the ledger is away."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._queries = Queries(ledger)

    async def one(self, event_id: str, *, unmasked: bool = True) -> Progress:
        """The whole status of one event."""
        operation = await read_known(self._ledger, event_id)
        return self._progress(operation, to_json(operation, unmasked=unmasked))

    async def many(self, params: Mapping[str, str], *, unmasked: bool = True) -> dict[str, Any]:
        """The events that share a correlation id."""
        correlation_id = kept_correlation_id(params.get("correlation_id"))
        if correlation_id is None:
            raise Rejected(
                400,
                "A correlation id is required",
                "Ask for /api/operations/{event id}, or for /api/operations?correlation_id=...",
                faults=(
                    Fault("correlation_id", "query parameter is missing, or nothing that a correlation id can be"),
                ),
            )
        found = await self._queries.by_correlation(correlation_id)
        return {"operations": [to_json(operation, unmasked=unmasked) for operation in found]}

    def _progress(self, operation: EventStatus, body: dict[str, Any]) -> Progress:
        return Progress(body, operation.state.final, math.ceil(seconds_to_wait(operation, self._clock.now())))


def seconds_to_wait(operation: EventStatus, now: datetime) -> float:
    """After how many seconds it is worth asking again for an event that has not ended."""
    wait = float(POLL_SECONDS)
    if operation.next_attempt is not None:
        wait = max(wait, (operation.next_attempt - now).total_seconds())
    return min(wait, _LONGEST_POLL_SECONDS)


async def read_known(ledger: Ledger, event_id: str) -> EventStatus:
    """The event of this id; raises `Rejected` (400, 404), and `Outage` where the ledger is away."""
    found = await read_if_known(ledger, event_id)
    if found is None:
        raise unknown(event_id)
    return found


async def read_if_known(ledger: Ledger, event_id: str) -> EventStatus | None:
    """The event of this id, if the ledger has it; raises as `read_known` does."""
    if not EVENT_ID.fullmatch(event_id):
        raise Rejected(400, "Not an event id", "An event id is twelve digits, a dash and 32 hexadecimal digits.")
    return await ledger.read(event_id)


def unknown(event_id: str) -> Rejected:
    """The ledger has no such event."""
    return Rejected(404, "Unknown event", f"The ledger has no event {event_id}.")


def to_json(operation: EventStatus, *, unmasked: bool = True) -> dict[str, Any]:
    """An operation as support and flows see it; times in ISO 8601, UTC.

    Unless it is `unmasked`, texts of other systems come without what may be personal in them.
    """

    def shown(text: str | None) -> str | None:
        return text if text is None else masked(text, unmasked)

    return {
        "eventId": operation.event_id,
        "correlationId": operation.correlation_id,
        "table": operation.table,
        "recordId": operation.record_id,
        "message": operation.message,
        "state": operation.state.value,
        "acceptedAt": iso_or_none(operation.accepted_time),
        "attempts": operation.attempts,
        "nextAttempt": iso_or_none(operation.next_attempt),
        "steps": [
            {"name": step.name, "state": step.state, "at": iso_or_none(step.at), "detail": shown(step.detail)}
            for step in operation.steps
        ],
        "reason": operation.reason,
        "detail": shown(operation.detail),
        "history": [{**it, "detail": shown(it.get("detail"))} for it in operation.history],
        "resolvedBy": operation.resolved_by,
        "replayOf": operation.replay_of,
        "replayedBy": operation.replayed_by,
        "note": operation.note,
        "cause": operation.cause,
    }


def iso_or_none(time: datetime | None) -> str | None:
    """ISO 8601, UTC; None where there is no time."""
    return None if time is None else iso(time)
