"""What analytics gets: how an integration event ended, without column values."""

import json
from datetime import datetime

from integration.clock import Clock
from integration.coalescing import acknowledged
from integration.events import IntegrationEvent
from integration.ledger import Entry, State
from integration.messaging import EventPublisher

_PUBLISH_SECONDS = 40.0


class SettledEvents:
    """Publishes how events have ended."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def publish(
        self,
        event: IntegrationEvent,
        entry: Entry,
        state: State,
        *,
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Publish and wait for the hub's acknowledgement; raises `Transient`."""
        body = settled_event(event, entry, state, at=self._clock.now(), reason=reason, detail=detail)
        acknowledged(self._publisher.publish(event.session_id, body), _PUBLISH_SECONDS, "event hub")


def settled_event(
    event: IntegrationEvent, entry: Entry, state: State, *, at: datetime, reason: str | None, detail: str | None
) -> bytes:
    """A CloudEvents 1.0 JSON object, type `integration.settled`; `data` holds identifiers, times, effects' answers."""
    document = {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"/organizations/{event.organisation}",
        "type": "integration.settled",
        "subject": event.session_id,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "correlationid": event.correlation_id,
        **({"traceparent": event.traceparent} if event.traceparent else {}),
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
            "detail": detail,
            "attempts": event.attempt,
            "operationTime": event.operation_time.isoformat(),
            "acceptedTime": event.accepted_time.isoformat(),
            "settledTime": at.isoformat(),
            "effects": {name: step.answer for name, step in entry.steps.items() if step.state == "done"},
        },
    }
    return json.dumps(document, separators=(",", ":")).encode()
