"""The plug-in payload: what a plug-in posts that tells only what happened, to which row, by whom and when."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_pascal

from integration.errors import Fault
from integration.events import identity
from integration.events.body import parse_body
from integration.events.dates import to_time
from integration.events.fields import ColumnName, correlation_id, not_a, to_guid, traceparent, validated
from integration.events.fields import Guid as OptionalGuid
from integration.events.model import IntegrationEvent
from integration.events.value_reader import MAX_COLUMNS

_SHAPE = "plug-in event"


def _row_id(raw: object) -> str:
    guid = to_guid(raw)
    if guid is None:
        raise ValueError("must be the row's id")
    return guid


class _PluginEvent(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)

    event_name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    record_id: Annotated[str, BeforeValidator(_row_id)]
    changed_fields: Annotated[list[ColumnName], Field(max_length=MAX_COLUMNS)] | None = None
    triggered_by: OptionalGuid = None
    timestamp: Annotated[datetime, BeforeValidator(to_time)]


def read_plugin_event(
    body: bytes,
    *,
    headers: Mapping[str, str],
    accepted_time: datetime,
    organisation: str,
    event_names: Mapping[str, tuple[str, str]],
) -> IntegrationEvent:
    """The event in `body`; header names in lower case. `Rejected` (400) names everything that is wrong.

    `event_names` gives the table and message that an EventName stands for; `organisation` is the one configured, as
    the payload does not say. No ChangedFields, or none in it, means that the payload does not tell what changed.
    """
    sent = validated(_PluginEvent, parse_body(body), _SHAPE)
    if sent.event_name not in event_names:
        known = ", ".join(sorted(event_names)) or "none"
        raise not_a(_SHAPE, [Fault("/EventName", f"is not known here; known are: {known}")])
    table, message = event_names[sent.event_name]
    changed = tuple(dict.fromkeys(sent.changed_fields or ()))
    event_id = identity.event_id(
        sent.timestamp, organisation, "lean", sent.event_name, sent.record_id, ",".join(changed), sent.triggered_by
    )
    return IntegrationEvent(
        event_id=event_id,
        table=table,
        message=message,
        record_id=sent.record_id,
        organisation=organisation,
        correlation_id=correlation_id(headers, None, event_id),
        operation_time=sent.timestamp,
        accepted_time=accepted_time,
        user_id=sent.triggered_by,
        initiating_user_id=sent.triggered_by,
        changed_columns=changed or None,
        traceparent=traceparent(headers),
    )
