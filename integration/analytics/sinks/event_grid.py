"""The Event Grid sink: settled events as CloudEvents to a custom topic, or to a topic of a namespace.

Which of the two it is, the address says: `https://<topic>.<region>-1.eventgrid.azure.net/api/events`, or
`https://<namespace>.<region>-1.eventgrid.azure.net/topics/<topic>:publish`. Sources: learn.microsoft.com, "Publish
events to Azure Event Grid custom topics using access keys", "Publish and subscribe to CloudEvents in namespace topics",
"Azure Event Grid quotas and limits".
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from integration.clock import Clock
from integration.errors import Outage, Transient
from integration.telemetry import get_logger
from integration.transport import NO_CONTEXT, ApiKey, Authorizer, Request, Response, Sender, managed_identity_tokens

MOST_BYTES: Final = 1_000_000
"""Of one request: Event Grid takes 1 MB."""
_SERVICE: Final = "event-grid"
_SCOPE: Final = "https://eventgrid.azure.net/.default"
_OF_NAMESPACE: Final = ":publish"
_CONTENT_TYPE: Final = "application/cloudevents-batch+json; charset=utf-8"
_TOO_MUCH_OR_WRONG: Final = frozenset({400, 413})
"""Event Grid takes a request whole or not at all; after these, a smaller one may be taken."""
_log = get_logger(__name__)


class EventGridSink:
    """Publishes batches of settled events; an event that is published again has the same id.

    What Event Grid does not take alone is left out, and logged: it would hold up all that comes behind it. Raises
    `Transient` after everything else, so that the batch comes again; what was taken of it is published twice then.
    """

    def __init__(self, sender: Sender, endpoint: str, authorizer: Authorizer) -> None:
        self._sender = sender
        version = "2024-06-01" if endpoint.endswith(_OF_NAMESPACE) else "2018-01-01"
        self._url = f"{endpoint}?api-version={version}"
        self._authorizer = authorizer

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
        body = b"[" + b",".join(event for _, event in batch) + b"]"
        if len(body) > MOST_BYTES:  # alone: namespaces answer that with 403, which may mean other things too
            _log.error("event-grid-left-out", event_id=batch[0][0], status=413, size_bytes=len(body))
            return
        request = Request(_SERVICE, "publish", "POST", self._url, {"Content-Type": _CONTENT_TYPE}, body)
        answer = await self._sender.send(request, authorizer=self._authorizer, context=NO_CONTEXT)
        if answer.ok:
            return
        if answer.status not in _TOO_MUCH_OR_WRONG:
            raise _refused(answer)
        if len(batch) == 1:
            _log.error("event-grid-left-out", event_id=batch[0][0], status=answer.status, size_bytes=len(body))
            return
        half = len(batch) // 2
        await self._send(batch[:half])
        await self._send(batch[half:])


def authorizer(endpoint: str, key: str | None, client_id: str | None, clock: Clock) -> Authorizer:
    """With a key of the topic, or with the managed identity (role EventGrid Data Sender)."""
    if key is None:
        return managed_identity_tokens(service=_SERVICE, scope=_SCOPE, client_id=client_id, clock=clock)
    if endpoint.endswith(_OF_NAMESPACE):
        return ApiKey(f"SharedAccessKey {key}", header="Authorization")
    return ApiKey(key, header="aeg-sas-key")


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
