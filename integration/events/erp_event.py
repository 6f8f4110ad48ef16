"""Events of an ERP: one of its records has changed. They are hints: what the ERP then answers decides what is done.

Three forms are read, one event or a list of them: the plain form (`{"id", "record", "source", "time"}`), CloudEvents
1.0 (structured, batched, binary), and the business events of Dynamics 365 Finance and Supply Chain Management.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from integration.errors import Fault, Rejected
from integration.events import identity
from integration.events.body import parse_json
from integration.events.business_event import MARK, ErpEventName, hint_of, is_trial, named_hint
from integration.events.erp_fields import Hint, Id, Record, Time
from integration.events.fields import correlation_id, faults_of, not_a, pointer, traceparent
from integration.events.model import IntegrationEvent
from integration.events.trace_state import tracestate

MOST: Final = 500
"""Events of one request."""
SHAPE: Final = "event of an ERP"

_OLDEST, _AHEAD = timedelta(days=31), timedelta(days=1)


class PlainEvent(BaseModel):
    """That something happened to a record of the ERP. What it was is in the address; unknown properties are ignored.

    The same `id`, `source` and `time` stand for the same event, however often it is sent.
    """

    id: Id = Field(description="The event's id, unique within `source`.")
    record: Record = Field(description="The record's key in the ERP: the id under which the ERP serves it.")
    source: str = Field(default="", max_length=200, description="What sent it; absent: the caller whose key it is.")
    time: Time | None = Field(default=None, description="When it happened: ISO 8601, without an offset in UTC.")


class CloudEvent(BaseModel):
    """The same as a CloudEvents 1.0 document: the record is the `subject`; `type` and `data` are not read."""

    specversion: Literal["1.0"]
    id: Id
    source: Annotated[str, Field(min_length=1, max_length=200)]
    type: Annotated[str, Field(min_length=1)]
    subject: Record
    time: Time | None = None


def read_erp_events(
    body: bytes,
    *,
    headers: Mapping[str, str],
    name: ErpEventName,
    caller: str,
    organisation: str,
    accepted_time: datetime,
) -> list[IntegrationEvent]:
    """The events in `body`, each record once; header names in lower case. `organisation` is the configured one.

    The message with which Finance tries out an endpoint is none. Raises `Rejected`: 400 names what is wrong in which
    event (and none is taken in), 413 for too many.
    """
    document = parse_json(body)
    if "ce-specversion" in headers:
        document = {part: headers.get(f"ce-{part}") for part in CloudEvent.model_fields}
    documents = document if isinstance(document, list) else [document]
    if len(documents) > MOST:
        raise Rejected(413, "Too many events", f"The body has {len(documents)} events; {MOST} are allowed.")
    if not documents:
        raise not_a(SHAPE, [Fault("", "has no event")])
    faults: list[Fault] = []
    hints: list[Hint] = []
    for number, it in enumerate(documents):
        at = (number,) if isinstance(document, list) else ()
        if is_trial(it):
            continue
        try:
            hints.append(_hint(it, name))
        except ValidationError as error:
            faults += faults_of(error, *at)
        except ValueError as error:
            faults.append(Fault(pointer(*at), str(error)))
    if faults:
        raise not_a(SHAPE, faults)
    return erp_events(
        hints, headers=headers, name=name, caller=caller, organisation=organisation, accepted_time=accepted_time
    )


def read_business_event(  # noqa: PLR0917 -- as above, with all names in place of one
    document: Mapping[str, Any],
    headers: Mapping[str, str],
    names: Iterable[ErpEventName],
    caller: str,
    organisation: str,
    accepted_time: datetime,
) -> list[IntegrationEvent]:
    """The event of a business event that came without a name: one, or none where an endpoint is tried out.

    Raises `Rejected` (400).
    """
    if is_trial(document):
        return []
    name, hint = named_hint(document, names)
    return [_event(hint, headers, name, caller, organisation, accepted_time)]


def erp_events(
    hints: Sequence[Hint],
    *,
    headers: Mapping[str, str],
    name: ErpEventName,
    caller: str,
    organisation: str,
    accepted_time: datetime,
) -> list[IntegrationEvent]:
    """The events of these hints; of several about one record only the last, because the record is read as it is now."""
    latest = {hint.record: hint for hint in hints}
    return [_event(it, headers, name, caller, organisation, accepted_time) for it in latest.values()]


def _hint(document: Any, name: ErpEventName) -> Hint:
    """Raises `ValidationError` and `ValueError`."""
    if not isinstance(document, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 -- the caller's mistake, not the code's
    if "specversion" in document:
        cloud = CloudEvent.model_validate(document)
        return Hint(cloud.id, cloud.source, cloud.subject, cloud.time)
    if MARK in document:
        return hint_of(document, name)
    plain = PlainEvent.model_validate(document)
    return Hint(plain.id, plain.source, plain.record, plain.time)


def _event(  # noqa: PLR0917 -- called once, above
    hint: Hint,
    headers: Mapping[str, str],
    name: ErpEventName,
    caller: str,
    organisation: str,
    accepted_time: datetime,
) -> IntegrationEvent:
    """A time that cannot be right counts as none: then each delivery is an event of its own, which does no harm."""
    time = hint.time
    if time is None or not accepted_time - _OLDEST <= time <= accepted_time + _AHEAD:
        time = accepted_time
    session_id = f"{name.kind}:{hint.record}"
    event_id = identity.event_id(
        time, organisation, name.kind, name.name, hint.source or caller, hint.id, session_id=session_id
    )
    return IntegrationEvent(
        event_id=event_id,
        table=name.kind,
        message=name.name,
        record_id=hint.record,
        organisation=organisation,
        correlation_id=correlation_id(headers, None, event_id),
        operation_time=time,
        accepted_time=accepted_time,
        user_id=None,
        initiating_user_id=None,
        traceparent=traceparent(headers),
        tracestate=tracestate(headers),
    )
