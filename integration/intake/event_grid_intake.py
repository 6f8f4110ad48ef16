"""What the intake does with events that Azure Event Grid delivers: the two handshakes, both schemas, batches.

The `data` of an event is what its source would have posted itself: a RemoteExecutionContext of Dataverse, the payload
of a plug-in, or a business event of Finance & Operations. Event Grid delivers again after most answers but 2xx, and
gives an event up after a 400 or 413. So a single event that cannot be read is answered with 400; in a batch it goes to
the dead letters, and the others are taken in.
Sources: learn.microsoft.com, "Webhook event delivery", "Event Grid message delivery and retry", and CloudEvents 1.0.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent
from integration.events.body import parse_body, parse_json
from integration.events.business_event import MARK
from integration.events.fields import not_a, pointer
from integration.intake.business_events import BusinessEvents
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.taking_in import Accepted, IntakeRequest, TakingIn, with_own_writes

MOST: Final = 5_000
"""Events of one request: the largest batch that Event Grid can be told to make."""
_TRACE: Final = ("traceparent", "tracestate")
SOURCE: Final = "event-grid"
_SHAPE: Final = "event of Event Grid"
_VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent"
_DELETION: Final = "Microsoft.EventGrid.SubscriptionDeletedEvent"


@dataclass(slots=True)
class _Read:
    """What a request brings: events, and of a batch also what is refused, and why."""

    events: list[IntegrationEvent] = field(default_factory=list)
    refused: list[tuple[Any, Rejected]] = field(default_factory=list)


class EventGridIntake:
    """The endpoint for Event Grid. Raises `Rejected` (400, 401, 403, 411, 413, 415) or `Unavailable` (503)."""

    def __init__(self, taking_in: TakingIn, contexts: DataverseContexts, business_events: BusinessEvents) -> None:
        self._taking_in = taking_in
        self._contexts = contexts
        self._business_events = business_events

    async def allowed(self, request: IntakeRequest) -> Mapping[str, str]:
        """The headers that answer the handshake of CloudEvents: an OPTIONS request asks whether events may be sent."""
        await self._taking_in.admit(request, SOURCE)
        origin = request.headers.get("webhook-request-origin", "").strip()
        if not origin:
            raise Rejected(
                400,
                "No origin",
                "An OPTIONS request has to say in WebHook-Request-Origin who wants to send events.",
                faults=(Fault("webhook-request-origin", "must be there"),),
            )
        return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}

    async def deliver(self, request: IntakeRequest) -> str | list[Accepted]:
        """Take events in; of a subscription that is being made, the code that has to be sent back."""
        started = self._taking_in.clock.monotonic()
        caller, read = await self._taking_in.admitted(request, SOURCE, self._read)
        if isinstance(read, str):
            return read
        foreign = self._contexts.foreign(read.events, caller)
        accepted = await self._taking_in.queue_all(foreign, caller, SOURCE, started)
        for document, why in read.refused:
            await self._taking_in.set_aside(json.dumps(document, default=str).encode(), caller, why, source=SOURCE)
        return with_own_writes(read.events, accepted)

    def _read(self, request: IntakeRequest, caller: str) -> "str | _Read":
        """The code of a handshake, or the events; of a single event that is refused, raises why."""
        documents = _documents(request)
        code = _validation_code(documents)
        if code is not None:
            return code
        read = _Read()
        for document in documents:
            try:
                found = self._events(document, request.headers, caller)
                self._taking_in.check_tables(found, caller)
                read.events += found
            except Rejected as error:
                if len(documents) == 1:
                    raise
                read.refused.append((document, error))
        self._taking_in.check_organisations(read.events)
        return read

    def _events(self, document: Any, headers: Mapping[str, str], caller: str) -> list[IntegrationEvent]:
        if not isinstance(document, dict):
            raise not_a(_SHAPE, [Fault("", "must be a JSON object")])
        if _type(document) == _DELETION:
            return []
        data = _data(document)
        # The distributed tracing extension of CloudEvents has both as attributes.
        carries = document if isinstance(document.get("traceparent"), str) else headers
        own = {name: it for name in _TRACE if isinstance(it := carries.get(name), str)}
        if MARK in data:
            return self._business_events.read(data, own, caller)
        if "EventName" in data:
            if not data.get("OperationId"):
                data = {**data, "OperationId": _operation_id(document)}
            return [self._contexts.read_plugin_event(data, own)]
        return self._contexts.read(data, own)


def _documents(request: IntakeRequest) -> list[Any]:
    """The events of a request: one, or a batch; in the binary mode of CloudEvents the attributes are headers."""
    document = parse_json(request.body)
    if "ce-specversion" in request.headers:
        attributes = {it.removeprefix("ce-"): value for it, value in request.headers.items() if it.startswith("ce-")}
        return [{**attributes, "data": document}]
    documents = document if isinstance(document, list) else [document]
    if len(documents) > MOST:
        raise Rejected(413, "Too many events", f"The body has {len(documents)} events; {MOST} are allowed.")
    if not documents:
        raise not_a(_SHAPE, [Fault("", "has no event")])
    return documents


def _validation_code(documents: Sequence[Any]) -> str | None:
    for document in documents:
        if isinstance(document, dict) and _type(document) == _VALIDATION:
            data = document.get("data")
            code = data.get("validationCode") if isinstance(data, dict) else None
            if not isinstance(code, str) or not code:
                raise not_a(_SHAPE, [Fault(pointer("data", "validationCode"), "must be there")])
            return code
    return None


def _type(document: Mapping[str, Any]) -> Any:
    """In either schema."""
    return document.get("type") if "specversion" in document else document.get("eventType")


def _data(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the source has sent: an object, its JSON as text, or that in base64."""
    raw = document.get("data")
    if isinstance(raw, str):
        return parse_body(raw.encode("utf-8", "surrogatepass"))
    if raw is None and isinstance(document.get("data_base64"), str):
        try:
            return parse_body(base64.b64decode(document["data_base64"], validate=True))
        except binascii.Error:
            raise not_a(_SHAPE, [Fault("/data_base64", "must be base64")]) from None
    if not isinstance(raw, dict):
        raise not_a(
            _SHAPE, [Fault("/data", "must be a context of Dataverse, a plug-in payload or a business event of Finance")]
        )
    return raw


def _operation_id(document: Mapping[str, Any]) -> str:
    """The event's own identity, which is the same at every delivery (CloudEvents 1.0: source and id)."""
    return str(uuid5(NAMESPACE_URL, f"{document.get('source') or document.get('topic')} {document.get('id')}"))
