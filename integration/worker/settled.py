"""What analytics gets: how an event ended, without column values."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from integration.events import IntegrationEvent
from integration.ledger import Memory, State


def settled_document(
    event: IntegrationEvent,
    state: State,
    *,
    at: datetime,
    reason: str | None = None,
    effects: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A CloudEvents 1.0 document, type `integration.settled`; `data` holds identifiers, times, effects' answers."""
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"/organizations/{event.organisation}",
        "type": "integration.settled",
        "subject": event.session_id,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "correlationid": event.correlation_id,
        **({"traceparent": event.traceparent} if event.traceparent else {}),
        **({"tracestate": event.tracestate} if event.traceparent and event.tracestate else {}),
        "data": {
            "eventId": event.event_id,
            "correlationId": event.correlation_id,
            "organisation": event.organisation,
            "table": event.table,
            "recordId": event.record_id,
            "message": event.message,
            "changedColumns": event.changed_columns,
            "state": state.value,
            "reason": reason,
            "attempts": event.attempt,
            "replayOf": event.replay_of,
            "operationTime": event.operation_time.isoformat(),
            "acceptedTime": event.accepted_time.isoformat(),
            "settledTime": at.isoformat(),
            "effects": dict(effects or {}),
        },
    }


def published_answers(
    memory: Memory, event: IntegrationEvent, declared: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """Of the effects that `event` has done, the parts of their answers that its handler declares for analytics."""
    return {
        name: {key: value for key, value in effect.answer.items() if key in declared.get(name, ())}
        for name, effect in memory.effects.items()
        if effect.done is not None and effect.event_id == event.event_id
    }


def encoded(document: Mapping[str, Any]) -> bytes:
    """The document as it is published."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
