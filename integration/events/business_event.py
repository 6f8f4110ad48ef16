"""Business events of Dynamics 365 Finance and Supply Chain Management: their envelope, and which flow takes one.

Over HTTPS the address names the flow's event. A queue and Event Grid have one address for all of them, so there the
event itself decides. Sources: learn.microsoft.com, "Business events overview" and "Business events developer
documentation"; the message with which an endpoint is tried out is taken from public code that receives it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from integration.errors import Fault, Rejected
from integration.events.erp_fields import Hint, Id, Time, record_of
from integration.events.fields import faults_of, not_a

SHAPE: Final = "business event"
MARK: Final = "BusinessEventId"
"""The property that no other event has."""
_TRIAL: Final = "BusinessEventsTestEndpointContract"


class BusinessEvent(BaseModel):
    """A business event of Dynamics 365 Finance, which names its record in a property of its own."""

    model_config = ConfigDict(alias_generator=to_pascal)

    business_event_id: Id = Field(description="Which business event it is: the name of its class there.")
    event_id: Id = Field(description="The event's id.")
    control_number: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Rises with each event; a repetition has the same."
    )
    event_time: Time | None = Field(default=None, description="When it happened: /Date(ms)/ or ISO 8601.")


@dataclass(frozen=True, slots=True)
class ErpEventName:
    """What the name in the address stands for: records of a kind (`erp.order`), as a flow declares it.

    `record_in` are the properties in which business events of Finance have the record's key, and `business_events` the
    BusinessEventIds that mean this name wherever they come from.
    """

    name: str
    kind: str
    record_in: tuple[str, ...] = ()
    business_events: tuple[str, ...] = ()


def is_trial(document: Any) -> bool:
    """Whether it is the message that Finance sends when an endpoint or an event is activated: it is about no record."""
    return isinstance(document, dict) and document.get(MARK) == _TRIAL


def hint_of(document: Mapping[str, Any], name: ErpEventName) -> Hint:
    """What identifies a business event. Raises `ValidationError`, and `ValueError` where it names no record.

    ControlNumber rises with each event and belongs to its identity; the record is in a property of its own.
    """
    sent = BusinessEvent.model_validate(document)
    record = next((document[it] for it in name.record_in if document.get(it)), None)
    if record is None:
        known = " or ".join(name.record_in) or "a property that the flow names (record_in)"
        raise ValueError(f"names no record: it has to be in {known}")
    return Hint(f"{sent.event_id} {sent.control_number}", sent.business_event_id, record_of(record), sent.event_time)


def named_hint(document: Mapping[str, Any], names: Iterable[ErpEventName]) -> tuple[ErpEventName, Hint]:
    """Which flow takes a business event, under which name, and what identifies it. Raises `Rejected` (400)."""
    name = _name_of(document, [*names])
    try:
        return name, hint_of(document, name)
    except ValidationError as error:
        raise not_a(SHAPE, faults_of(error)) from None
    except ValueError as error:
        raise not_a(SHAPE, [Fault("", str(error))]) from None


def _name_of(document: Mapping[str, Any], names: list[ErpEventName]) -> ErpEventName:
    """The name that lists its BusinessEventId, or the first one of the only flow whose record it names."""
    called = document.get(MARK)
    listed = [it for it in names if called in it.business_events]
    if listed:
        return listed[0]
    first: dict[str, ErpEventName] = {}
    for it in names:
        if any(document.get(where) for where in it.record_in):
            first.setdefault(it.kind, it)
    if len(first) == 1:
        return next(iter(first.values()))
    kinds = ", ".join(sorted(first))
    why = f"it names records of {kinds}" if first else "no flow lists it, and it names no record of one (record_in)"
    raise Rejected(
        400,
        "Unknown business event",
        f"No flow is known to take the business event {called!r:.120}: {why}. List it in business_events of the flow "
        "that is to take it, or do not send it here.",
        faults=(Fault(f"/{MARK}", "must be an event of a flow"),),
        reason="business-event-unknown",
    )
