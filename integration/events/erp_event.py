"""Events of an ERP: one of its records has changed. They are hints: what the ERP then answers decides what is done.

Three forms are read, one event or a list of them: the plain form (`{"id", "record", "source", "time"}`), CloudEvents
1.0 (structured, batched, binary), and the business events of Dynamics 365 Finance and Supply Chain Management.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from integration.errors import Fault, Rejected
from integration.events import identity
from integration.events.body import parse_json
from integration.events.dates import to_time
from integration.events.fields import correlation_id, not_a, pointer, record_id, traceparent
from integration.events.model import IntegrationEvent

MOST: Final = 500
"""Events of one request."""
SHAPE: Final = "event of an ERP"

_RECORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:|=@+,()-]{0,99}", re.ASCII)
_OLDEST, _AHEAD = timedelta(days=31), timedelta(days=1)


def record_of(raw: object) -> str:
    """A record's key in the ERP as it is stored: GUIDs in lower case, anything else as it is. Raises `ValueError`."""
    if isinstance(raw, str) and _RECORD.fullmatch(text := raw.strip()):
        return record_id(text)
    raise ValueError(
        "must be the record's key in the ERP: up to 100 letters, digits, spaces and . _ : | = @ + , ( ) -, "
        "of which the first is a letter or a digit"
    )


Record = Annotated[str, BeforeValidator(record_of)]
Time = Annotated[datetime, BeforeValidator(to_time)]
_Id = Annotated[str, Field(min_length=1, max_length=200)]


class PlainEvent(BaseModel):
    """That something happened to a record of the ERP. What it was is in the address; unknown properties are ignored.

    The same `id`, `source` and `time` stand for the same event, however often it is sent.
    """

    id: _Id = Field(description="The event's id, unique within `source`.")
    record: Record = Field(description="The record's key in the ERP: the id under which the ERP serves it.")
    source: str = Field(default="", max_length=200, description="What sent it; absent: the caller whose key it is.")
    time: Time | None = Field(default=None, description="When it happened: ISO 8601, without an offset in UTC.")


class CloudEvent(BaseModel):
    """The same as a CloudEvents 1.0 document: the record is the `subject`; `type` and `data` are not read."""

    specversion: Literal["1.0"]
    id: _Id
    source: Annotated[str, Field(min_length=1, max_length=200)]
    type: Annotated[str, Field(min_length=1)]
    subject: Record
    time: Time | None = None


class _BusinessEvent(BaseModel):
    """What a business event has whatever it is about (learn.microsoft.com, "Business events overview")."""

    model_config = ConfigDict(alias_generator=to_pascal)

    business_event_id: _Id
    event_id: _Id
    control_number: Annotated[int, Field(ge=0)] | None = None
    event_time: Time | None = None


@dataclass(frozen=True, slots=True)
class ErpEventName:
    """What the name in the address stands for: records of a kind (`erp.order`), as a flow declares it.

    `record_in` are the properties in which business events of Finance have the record's key.
    """

    name: str
    kind: str
    record_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """What identifies an event of an ERP, whatever form it had."""

    id: str
    source: str
    record: str
    time: datetime | None


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

    Raises `Rejected`: 400 names what is wrong in which event (and none is taken in), 413 for too many.
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
        try:
            hints.append(_hint(it, name))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            faults += [
                Fault(pointer(*at, *fault["loc"]), fault["msg"].removeprefix("Value error, ")) for fault in found
            ]
        except ValueError as error:
            faults.append(Fault(pointer(*at), str(error)))
    if faults:
        raise not_a(SHAPE, faults)
    return erp_events(
        hints, headers=headers, name=name, caller=caller, organisation=organisation, accepted_time=accepted_time
    )


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
    if "BusinessEventId" in document:
        return _of_business_event(document, name)
    plain = PlainEvent.model_validate(document)
    return Hint(plain.id, plain.source, plain.record, plain.time)


def _of_business_event(document: dict[str, Any], name: ErpEventName) -> Hint:
    """ControlNumber rises with each event and belongs to its identity; the record is in a property of its own."""
    sent = _BusinessEvent.model_validate(document)
    record = next((document[it] for it in name.record_in if document.get(it)), None)
    if record is None:
        known = " or ".join(name.record_in) or "a property that the flow names (record_in)"
        raise ValueError(f"names no record: it has to be in {known}")
    return Hint(f"{sent.event_id} {sent.control_number}", sent.business_event_id, record_of(record), sent.event_time)


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
    )
