"""The plug-in payload: a small JSON object that says what happened, to which row, by whom and when."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_pascal

from integration.errors import Fault
from integration.events import identity
from integration.events.dates import to_time
from integration.events.fields import Guid as OptionalGuid
from integration.events.fields import correlation_id, not_a, to_column, to_guid, traceparent, validated
from integration.events.model import IntegrationEvent
from integration.events.trace_state import tracestate
from integration.events.value_reader import MAX_COLUMNS

_SHAPE = "plug-in event"


def _row_id(raw: object) -> str:
    guid = to_guid(raw)
    if guid is None:
        raise ValueError("must be the row's id")
    return guid


def _json_type(kind: str, **more: Any) -> WithJsonSchema:
    """How a property should be sent; anything else is left out, and never a reason to refuse the event."""
    return WithJsonSchema({"type": [kind, "null"], **more})


class PluginEvent(BaseModel):
    """What a plug-in posts. Only what identifies the event must be valid; unknown properties are ignored."""

    model_config = ConfigDict(alias_generator=to_pascal)

    event_name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="What happened; PLUGIN_EVENTS says which table and message it stands for."
    )
    record_id: Annotated[str, BeforeValidator(_row_id), WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        description="The row's id."
    )
    operation_id: OptionalGuid = Field(
        default=None, description="The same for every delivery of the event; without it, each is an event of its own."
    )
    timestamp: Annotated[datetime, BeforeValidator(to_time)] = Field(description="When it happened, ISO 8601.")
    changed_fields: Annotated[Any, _json_type("array", items={"type": "string"})] = Field(
        default=None, description="The logical names of the columns that have changed."
    )
    triggered_by: Annotated[Any, _json_type("string", format="uuid")] = Field(
        default=None, description="The id of the user."
    )
    tag: Annotated[Any, _json_type("string")] = Field(
        default=None, description="The tag of the write that caused it; the app leaves its own writes out."
    )
    is_in_transaction: Annotated[Any, _json_type("boolean")] = Field(
        default=None, description="Whether it is sent before the transaction is committed."
    )


def read_plugin_event(
    document: dict[str, Any],
    *,
    headers: Mapping[str, str],
    accepted_time: datetime,
    organisation: str,
    event_names: Mapping[str, tuple[str, str]],
) -> IntegrationEvent:
    """The event in `document`; header names in lower case. `Rejected` (400) names what is wrong with its identity.

    `event_names` gives the table and message that an EventName stands for; `organisation` is the configured one,
    because the payload does not name it. Missing or empty ChangedFields mean that the payload does not say what
    changed. Without an OperationId every delivery is an event of its own, because nothing shows whether it is a
    repetition.
    """
    sent = validated(PluginEvent, document, _SHAPE)
    if sent.event_name not in event_names:
        known = ", ".join(sorted(event_names)) or "none"
        raise not_a(_SHAPE, [Fault("/EventName", f"is not known here; the known names are: {known}")])
    table, message = event_names[sent.event_name]
    unread: list[str] = []
    changed = _columns(sent.changed_fields, unread)
    user = _user(sent.triggered_by, unread)
    event_id = identity.event_id(
        sent.timestamp,
        organisation,
        "plug-in",
        sent.event_name,
        sent.record_id,
        ",".join(changed or ()),
        user,
        sent.operation_id or f"{accepted_time.isoformat()} {secrets.token_hex(8)}",
        session_id=f"{table}:{sent.record_id}",
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
        user_id=user,
        initiating_user_id=user,
        changed_columns=changed,
        tag=sent.tag if isinstance(sent.tag, str) else None,
        trimmed=bool(unread),
        unread=tuple(unread),
        uncommitted=sent.is_in_transaction is True,
        traceparent=traceparent(headers),
        tracestate=tracestate(headers),
    )


def _columns(raw: object, unread: list[str]) -> tuple[str, ...] | None:
    """Logical names, once each; None if they are not given, or if one of them cannot be read."""
    if raw is None or raw == []:
        return None
    if isinstance(raw, list) and len(raw) <= MAX_COLUMNS:
        with suppress(ValueError):
            return tuple(dict.fromkeys(map(to_column, raw)))
    unread.append("ChangedFields")
    return None


def _user(raw: Any, unread: list[str]) -> str | None:
    try:
        return to_guid(raw)
    except ValueError:
        unread.append("TriggeredBy")
        return None
