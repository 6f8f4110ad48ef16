"""The work queue: a session per record, a MessageId per event and attempt."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessage

from integration.clock import Clock
from integration.events import IntegrationEvent
from integration.events.envelope import to_envelope
from integration.messaging.queue_sender import QueueSender

_CONTENT_TYPE = "application/cloudevents+json"


class WorkQueue(QueueSender):
    """Sends events to the work queue; see `QueueSender` for connections, batches and failures.

    Sending an event again is safe: it has the same MessageId.
    """

    def __init__(self, connect: Callable[[], ServiceBusClient], queue_name: str, *, clock: Clock | None = None) -> None:
        super().__init__(connect, queue_name, thread="work-queue", clock=clock)

    def send(self, event: IntegrationEvent, envelope: bytes) -> "Future[None]":
        """Queue `event` at once, with its finished `envelope`; resolves when the broker has acknowledged it."""
        return self.submit(partial(_to_message, event, envelope, None))

    def schedule(self, event: IntegrationEvent, due: datetime) -> "Future[None]":
        """Queue `event` to appear at `due` (UTC); resolves when the broker has acknowledged it."""
        return self.submit(partial(_to_message, event, to_envelope(event), due))


def _to_message(event: IntegrationEvent, envelope: bytes, due: datetime | None) -> ServiceBusMessage:
    return ServiceBusMessage(
        envelope,
        session_id=event.session_id,
        message_id=event.message_id,
        correlation_id=event.correlation_id,
        content_type=_CONTENT_TYPE,
        subject=f"{event.table}.{event.message}",
        scheduled_enqueue_time_utc=due,
        application_properties=_trace_context(event) or None,
    )


def _trace_context(event: IntegrationEvent) -> dict[str | bytes, Any]:
    found = {"traceparent": event.traceparent, "tracestate": event.tracestate if event.traceparent else None}
    return {name: value for name, value in found.items() if value}
