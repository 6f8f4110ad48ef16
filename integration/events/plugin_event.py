"""The plug-in payload: a small JSON object that says what happened, to which row, by whom and when."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic.alias_generators import to_pascal

from integration.errors import Fault
from integration.events import identity
from integration.events.dates import to_time
from integration.events.fields import Guid as OptionalGuid
from integration.events.fields import correlation_id, not_a, to_column, to_guid, traceparent, validated
from integration.events.model import IntegrationEvent
from integration.events.value_reader import MAX_COLUMNS

_SHAPE = "plug-in event"


def _row_id(raw: object) -> str:
    guid = to_guid(raw)
    if guid is None:
        raise ValueError("must be the row's id")
    return guid


class _PluginEvent(BaseModel):
    """What identifies the event: the only part that must be valid. Unknown keys are ignored."""

    model_config = ConfigDict(alias_generator=to_pascal)

    event_name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    record_id: Annotated[str, BeforeValidator(_row_id)]
    operation_id: OptionalGuid = None
    timestamp: Annotated[datetime, BeforeValidator(to_time)]


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
    sent = validated(_PluginEvent, document, _SHAPE)
    if sent.event_name not in event_names:
        known = ", ".join(sorted(event_names)) or "none"
        raise not_a(_SHAPE, [Fault("/EventName", f"is not known here; the known names are: {known}")])
    table, message = event_names[sent.event_name]
    unread: list[str] = []
    changed = _columns(document.get("ChangedFields"), unread)
    user = _user(document.get("TriggeredBy"), unread)
    tag = document.get("Tag")
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
        tag=tag if isinstance(tag, str) else None,
        trimmed=bool(unread),
        unread=tuple(unread),
        uncommitted=document.get("IsInTransaction") is True,
        traceparent=traceparent(headers),
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
