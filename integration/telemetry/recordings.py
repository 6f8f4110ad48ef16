"""The recordings of an event's way: it is taken in, worked on, taken from the hub, delivered."""

import json
import re
import time
from collections.abc import Iterable
from typing import Final, Protocol

from integration.telemetry.logs import Subject
from integration.telemetry.spans import Kind, Recording, Value, begin, switched_on


class Message(Subject, Protocol):
    """An event as a message of the work queue."""

    @property
    def message_id(self) -> str: ...
    @property
    def traceparent(self) -> str | None: ...


def of_sent(
    event: Message, queue: str, *, source: str, started: int | None = None, alone: bool = True, wanted: bool = False
) -> Recording | None:
    """The first span of an event: from when it came, on the way `source`, until the queue has it.

    It decides whether the trace is sampled; one that somebody has asked for is `wanted`.
    """
    if (switch := switched_on()) is None:
        return None
    attributes = about(event) | messaging("send", "servicebus", queue)
    attributes |= {"messaging.message.id": event.message_id, "integration.source": source}
    sampled = _always if wanted else switch.samples
    return begin(
        f"send {queue}", Kind.PRODUCER, event.traceparent, attributes, started=started, sampled=sampled, alone=alone
    )


def of_attempt(event: Message, queue: str, *, started: int, wanted: bool = False) -> Recording | None:
    """The span of one attempt of the worker; one that somebody has asked for is `wanted`, and what follows it too."""
    if switched_on() is None:
        return None
    attributes = about(event) | messaging("process", "servicebus", queue)
    attributes["messaging.message.id"] = event.message_id
    sampled = _always if wanted else None
    return begin(f"process {queue}", Kind.CONSUMER, event.traceparent, attributes, started=started, sampled=sampled)


def of_delivery(event: Subject, queue: str, traceparent: str | None) -> Recording | None:
    """The span of a delivery to a receiver, in the trace of the event that it is about."""
    if switched_on() is None or traceparent is None:
        return None
    return begin(
        f"process {queue}", Kind.CONSUMER, traceparent, about(event) | messaging("process", "servicebus", queue)
    )


def of_batch(bodies: Iterable[bytes], hub: str, sink: str) -> list[Recording]:
    """A span for each sampled event of a batch of the hub of settled events that `sink` takes, in the event's trace."""
    if switched_on() is None:
        return []
    began, found = time.time_ns(), []
    for body in bodies:
        if (traceparent := carried_by(body)) is not None:
            attributes = messaging("process", "eventhubs", hub) | {"integration.sink": sink}
            if it := begin(f"process {hub}", Kind.CONSUMER, traceparent, attributes, started=began, alone=False):
                found.append(it)
    return found


def carried_by(document: bytes) -> str | None:
    """The traceparent in a document about a settled event; None where its trace is not sampled."""
    found = _SAMPLED.search(document)
    return found[1].decode() if found else None


def state_carried_by(document: bytes) -> str | None:
    """The tracestate in a document about a settled event, as it came in: it may hold a member of the app's own."""
    found = _STATE.search(document)
    return json.loads(found[1]) if found else None


def about(event: Subject) -> dict[str, Value]:
    """The attributes by which the spans of an event are found."""
    return {
        "integration.event.id": event.event_id,
        "messaging.message.conversation_id": event.correlation_id,
        "integration.table": event.table,
        "integration.message": event.message,
        "integration.attempt": event.attempt,
    }


def messaging(operation: str, system: str, destination: str) -> dict[str, Value]:
    """The attributes of a message that is sent or processed; `system` is servicebus or eventhubs."""
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def _always(_: str) -> bool:
    return True


_SAMPLED: Final = re.compile(rb'"traceparent": ?"(00-[0-9a-f]{32}-[0-9a-f]{16}-01)"')
_STATE: Final = re.compile(rb'"tracestate": ?("(?:[^"\\]|\\.)*")')
