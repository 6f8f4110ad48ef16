"""The Event Grid sink: settled events as CloudEvents to a topic.

Source of the limits: learn.microsoft.com, "Azure Event Grid quotas and limits".
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from integration.errors import Outage, Transient
from integration.messaging.event_grid import EventGridTopic
from integration.telemetry import get_logger
from integration.transport import Response

MOST_BYTES: Final = 1_000_000
"""Of one request: Event Grid takes 1 MB."""
_SERVICE: Final = "event-grid"
_TOO_MUCH_OR_WRONG: Final = frozenset({400, 413})
"""Event Grid takes a request whole or not at all; after these, a smaller one may be taken."""
_log = get_logger(__name__)


class EventGridSink:
    """Publishes batches of settled events; an event that is published again has the same id.

    What Event Grid does not take alone is left out, and logged: it would hold up all that comes behind it. Raises
    `Transient` after everything else, so that the batch comes again; what was taken of it is published twice then.
    """

    def __init__(self, topic: EventGridTopic) -> None:
        self._topic = topic

    async def publish(self, bodies: Sequence[bytes]) -> None:
        """Publish the documents of the hub of settled events."""
        events = [event for body in bodies if (event := _cloud_event(body)) is not None]
        if len(events) < len(bodies):
            _log.warning("event-grid-unreadable", count=len(bodies) - len(events))
        for batch in _batches(events):
            await self._send(batch)
        if events:
            _log.info("event-grid-published", count=len(events))

    async def _send(self, batch: Sequence[tuple[str, bytes]]) -> None:
        size = sum(len(event) + 1 for _, event in batch) + 1
        if size > MOST_BYTES:  # alone: namespaces answer that with 403, which may mean other things too
            _log.error("event-grid-left-out", event_id=batch[0][0], status=413, size_bytes=size)
            return
        answer = await self._topic.publish([event for _, event in batch])
        if answer.ok:
            return
        if answer.status not in _TOO_MUCH_OR_WRONG:
            raise _refused(answer)
        if len(batch) == 1:
            _log.error("event-grid-left-out", event_id=batch[0][0], status=answer.status, size_bytes=size)
            return
        half = len(batch) // 2
        await self._send(batch[:half])
        await self._send(batch[half:])


def _cloud_event(body: bytes) -> tuple[str, bytes] | None:
    """The id of the event and its CloudEvent; None for what is no settled event.

    An event can end twice, as a dead letter and then resolved. CloudEvents wants another id for that.
    """
    try:
        document: dict[str, Any] = json.loads(body)
        event_id, state = document["id"], document["data"]["state"]
        document["id"] = f"{event_id}_{state}"
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return str(event_id), json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _batches(events: Sequence[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """As many as fit into a request; one that does not fit alone is a batch of its own."""
    batch: list[tuple[str, bytes]] = []
    size = 2  # the brackets
    for event in events:
        more = len(event[1]) + 1
        if batch and size + more > MOST_BYTES:
            yield batch
            batch, size = [], 2
        batch.append(event)
        size += more
    if batch:
        yield batch


def _refused(answer: Response) -> Transient:
    return Outage(
        f"Event Grid answered {answer.status}; the events are published again later",
        reason="event-grid-refused",
        service=_SERVICE,
    )
