"""What Dataverse itself posts to a webhook, Service Bus or Event Hub: a RemoteExecutionContext as JSON.

Learn: https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_pascal

from integration.errors import Fault
from integration.events import identity
from integration.events.body import parse_body
from integration.events.content import OF_A_ROW, Content
from integration.events.dates import looks_like_json_date, to_operation_time
from integration.events.fields import (
    Guid,
    MessageName,
    TableName,
    correlation_id,
    guid_or_none,
    not_a,
    pointer,
    traceparent,
    validated,
)
from integration.events.model import IntegrationEvent
from integration.events.several_rows import contexts_in
from integration.events.tag import tag_of
from integration.events.trace_state import tracestate
from integration.events.value_reader import ValueReader
from integration.events.wants import WantsOf, everything

_SHAPE = "RemoteExecutionContext"
_TOO_LARGE = ("x-ms-dynamics-msg-size-exceeded", "messagemaxsizeexceeded")  # a header; a property, with a prefix or not
_POST_OPERATION = 40


class RemoteExecutionContext(BaseModel):
    """What a step of Dataverse posts, as far as it identifies the event: the only part that must be valid.

    OperationId or RequestId is needed. The rest is read where it is there: InputParameters, images, SharedVariables.
    """

    model_config = ConfigDict(alias_generator=to_pascal)

    message_name: MessageName
    primary_entity_name: TableName = "none"
    primary_entity_id: Guid = None
    organization_id: Guid
    operation_created_on: Annotated[datetime, BeforeValidator(to_operation_time)]
    operation_id: Guid = None
    request_id: Guid = None


def read_remote_execution_context(
    body: bytes,
    *,
    headers: Mapping[str, str],
    accepted_time: datetime,
    repair_mojibake: bool = False,
    wants_of: WantsOf = everything,
) -> IntegrationEvent:
    """The event in the JSON of `body`; otherwise as `read_context`."""
    return read_context(
        parse_body(body),
        headers=headers,
        accepted_time=accepted_time,
        repair_mojibake=repair_mojibake,
        wants_of=wants_of,
    )


def read_contexts(
    document: dict[str, Any],
    *,
    headers: Mapping[str, str],
    accepted_time: datetime,
    repair_mojibake: bool = False,
    wants_of: WantsOf = everything,
) -> list[IntegrationEvent]:
    """The events in `document`, one for each row that its message is about; otherwise as `read_context`."""
    return [
        read_context(
            it,
            headers=headers,
            accepted_time=accepted_time,
            repair_mojibake=repair_mojibake,
            wants_of=wants_of,
        )
        for it in contexts_in(document)
    ]


def read_context(
    document: dict[str, Any],
    *,
    headers: Mapping[str, str],
    accepted_time: datetime,
    repair_mojibake: bool = False,
    wants_of: WantsOf = everything,
) -> IntegrationEvent:
    """The event in `document`, with the values that `wants_of` names for its table and message.

    `headers` are those of the request, or the properties of the message, with names in lower case. `Rejected` (400)
    names everything that is wrong with what identifies the event. Other parts that cannot be read are left out, and
    named in `unread`. `repair_mojibake` repairs text that Dataverse sent encoded twice (older service endpoints without
    `messagecharset`).
    """
    context = validated(RemoteExecutionContext, document, _SHAPE)
    message = context.message_name
    reader = ValueReader(iso_dates=_writes_iso_dates(document), repair=repair_mojibake)
    content = Content(reader, document, message)
    record_id = context.primary_entity_id or content.record_id()
    if faults := [*_missing(context, record_id)]:
        raise not_a(_SHAPE, faults)

    table = context.primary_entity_name
    if table == "none" and content.target is not None and content.target.table is not None:
        table = content.target.table
    event_id = _identify(context, document, table, record_id)
    wants, uncommitted = wants_of(table, message), _is_uncommitted(document)
    user_id = reader.guid(document.get("UserId"), (None, "UserId"))
    initiating_user_id = reader.guid(document.get("InitiatingUserId"), (None, "InitiatingUserId"))
    values, parameters = content.values(wants.carried), content.parameters(wants.carried)
    pre_image = content.images("PreEntityImages", record_id, wants.carried)
    post_image = content.images("PostEntityImages", record_id, wants.carried)
    expected = content.expected(wants.decisive) if uncommitted else {}
    too_large = any(name.endswith(_TOO_LARGE) for name in headers)
    return IntegrationEvent(
        event_id=event_id,
        table=table,
        message=message,
        record_id=record_id,
        organisation=context.organization_id or "",
        correlation_id=correlation_id(headers, document.get("CorrelationId"), event_id),
        operation_time=context.operation_created_on,
        accepted_time=accepted_time,
        user_id=user_id,
        initiating_user_id=initiating_user_id,
        changed_columns=content.changed_columns(record_id),
        values=values,
        parameters=parameters,
        pre_image=pre_image,
        post_image=post_image,
        tag=tag_of(document),
        trimmed=too_large or content.is_trimmed(context.primary_entity_name) or bool(reader.unread),
        unread=reader.unread,
        uncommitted=uncommitted,
        expected=expected,
        traceparent=traceparent(headers),
        tracestate=tracestate(headers),
    )


def _writes_iso_dates(document: dict[str, Any]) -> bool:
    """One serialiser wrote the whole document, so OperationCreatedOn shows how it writes every date."""
    created_on = document.get("OperationCreatedOn")
    return isinstance(created_on, str) and not looks_like_json_date(created_on)


def _missing(context: RemoteExecutionContext, record_id: str | None) -> Iterator[Fault]:
    if context.organization_id is None:
        yield Fault(pointer("OrganizationId"), "must be the organisation's id")
    if context.operation_id is None and context.request_id is None:
        yield Fault(pointer("OperationId"), "must be there, or RequestId: without both the event has no identity")
    if record_id is None and context.message_name in OF_A_ROW:
        yield Fault(pointer("PrimaryEntityId"), f"must be the record of this {context.message_name}")


def _is_uncommitted(document: dict[str, Any]) -> bool:
    """Whether it was sent inside a transaction or before the operation; synchronous steps do both."""
    stage = document.get("Stage")
    return document.get("IsInTransaction") is True or (isinstance(stage, int) and 0 < stage < _POST_OPERATION)


def _identify(context: RemoteExecutionContext, document: dict[str, Any], table: str, record_id: str | None) -> str:
    """Every synchronous step within one request has the same ids: its depth and content distinguish them."""
    step = document.get("OwningExtension")
    shared = context.operation_id in (None, context.request_id)
    return identity.event_id(
        context.operation_created_on,
        context.organization_id,
        guid_or_none(step.get("Id")) if isinstance(step, dict) else None,
        context.message_name,
        table,
        record_id,
        context.operation_id,
        context.request_id,
        *((str(document.get("Depth")), _canonical(document.get("InputParameters"))) if shared else ()),
        session_id=f"{table}:{record_id}" if record_id else None,
    )


def _canonical(raw: object) -> str:
    try:
        return json.dumps(raw, sort_keys=True, separators=(",", ":"), default=str)
    except RecursionError:  # the parser could read it, but some value is nested beyond all reason
        return ""
