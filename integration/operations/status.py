"""Where an event is and what happened to it, from the ledger."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integration.errors import Fault, Rejected
from integration.events import kept_correlation_id
from integration.ledger import Ledger, Operation

_EVENT_ID = re.compile(r"(\d{12}|unreadable)-[0-9a-f]{32}")


class StatusQueries:
    """Answers as JSON objects; raises `Rejected` (400, 404) and `Transient` where the ledger is away."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def one(self, event_id: str) -> dict[str, Any]:
        """The status of one event."""
        if not _EVENT_ID.fullmatch(event_id):
            raise Rejected(400, "Not an event id", "An event id is twelve digits, a dash and 32 hexadecimal digits.")
        operation = self._ledger.read(event_id)
        if operation is None:
            raise Rejected(404, "Unknown event", f"The ledger has no event {event_id}.")
        return to_json(operation)

    def many(self, params: Mapping[str, str]) -> dict[str, Any]:
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
        return {"operations": [to_json(operation) for operation in self._ledger.by_correlation(correlation_id)]}


def to_json(operation: Operation) -> dict[str, Any]:
    """An operation as support and flows see it; times in ISO 8601, UTC."""
    return {
        "eventId": operation.event_id,
        "correlationId": operation.correlation_id,
        "table": operation.table,
        "recordId": operation.record_id,
        "message": operation.message,
        "state": operation.state.value,
        "acceptedAt": _iso(operation.accepted_time),
        "attempts": operation.attempts,
        "nextAttempt": _iso(operation.next_attempt),
        "steps": [
            {"name": step.name, "state": step.state, "at": _iso(step.at), "detail": step.detail}
            for step in operation.steps
        ],
        "reason": operation.reason,
        "detail": operation.detail,
        "history": list(operation.history),
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
