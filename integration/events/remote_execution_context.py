"""What Dataverse itself posts, as webhook, Service Bus or Event Hub message: a RemoteExecutionContext as JSON.

Learn: https://learn.microsoft.com/power-apps/developer/data-platform/use-webhooks
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_pascal

from integration.errors import Fault
from integration.events import identity
from integration.events.body import parse_body
from integration.events.dates import looks_like_json_date, to_operation_time
from integration.events.fields import (
    Guid,
    MessageName,
    TableName,
    correlation_id,
    not_a,
    pointer,
    traceparent,
    validated,
)
from integration.events.model import IntegrationEvent
from integration.events.value_reader import UNREAD, Entity, ValueReader
from integration.events.values import Lookup, Rows, Value

_SHAPE = "RemoteExecutionContext"
_PLATFORM_WRITTEN = frozenset({"modifiedon", "modifiedby", "modifiedonbehalfby"})
_NEEDS_RECORD = frozenset({"Create", "Update", "Delete", "Assign", "SetState", "SetStateDynamicEntity"})
_WITHOUT_TABLE = frozenset({"Associate", "Disassociate"})  # their steps are registered for no table
_PLATFORM_IMAGE = "AsynchronousStepPrimaryName"  # the asynchronous service adds it; nobody registered it
_TOO_LARGE_HEADERS = ("x-ms-dynamics-msg-size-exceeded", "messagemaxsizeexceeded")  # webhook; Service Bus property
_CLOSED_BY = {  # messages that close a record name it inside the activity that closes it
    "IncidentResolution": "incidentid",
    "OpportunityClose": "opportunityid",
    "QuoteClose": "quoteid",
    "OrderClose": "salesorderid",
}
_MAX_PARENTS = 16


class _Step(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)

    id: Guid = None


class _Context(BaseModel):
    """The envelope: of its 27 to 30 keys, those that are read. Unknown ones are ignored."""

    model_config = ConfigDict(alias_generator=to_pascal)

    message_name: MessageName
    primary_entity_name: TableName = "none"
    primary_entity_id: Guid = None
    organization_id: Guid
    operation_created_on: Annotated[datetime, BeforeValidator(to_operation_time)]
    operation_id: Guid = None
    request_id: Guid = None
    user_id: Guid = None
    initiating_user_id: Guid = None
    owning_extension: _Step | None = None
    input_parameters: list[Any] | None = None
    pre_entity_images: list[Any] | None = None
    post_entity_images: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Content:
    """What the input parameters say: the target row, the table it is in, everything else."""

    target: Entity | None
    parameters: dict[str, Value]

    @property
    def record_id(self) -> str | None:
        if self.target is not None and self.target.id is not None:
            return self.target.id
        return next((found for name, column in _CLOSED_BY.items() if (found := self._closed(name, column))), None)

    def _closed(self, name: str, column: str) -> str | None:
        activity = self.parameters.get(name)
        closed = activity.rows[0].get(column) if isinstance(activity, Rows) and activity.rows else None
        return closed.id if isinstance(closed, Lookup) else None


def read_remote_execution_context(
    body: bytes, *, headers: Mapping[str, str], accepted_time: datetime, repair_mojibake: bool = False
) -> IntegrationEvent:
    """The event in `body`; header names in lower case. `Rejected` (400) names everything that is wrong.

    `repair_mojibake` mends text that Dataverse sent encoded twice (older service endpoints without `messagecharset`).
    """
    document = parse_body(body)
    context = validated(_Context, document, _SHAPE)
    reader = ValueReader(iso_dates=_writes_iso_dates(document), repair=repair_mojibake)
    content = _read_content(reader, context)
    record_id = context.primary_entity_id or content.record_id
    pre_image = _read_images(reader, "PreEntityImages", context.pre_entity_images, record_id)
    post_image = _read_images(reader, "PostEntityImages", context.post_entity_images, record_id)
    if faults := [*reader.faults, *_missing(context, record_id)]:
        raise not_a(_SHAPE, faults)

    table = context.primary_entity_name
    if table == "none" and content.target is not None and content.target.table is not None:
        table = content.target.table
    event_id = _identify(context, table, record_id)
    return IntegrationEvent(
        event_id=event_id,
        table=table,
        message=context.message_name,
        record_id=record_id,
        organisation=context.organization_id or "",
        correlation_id=correlation_id(headers, document.get("CorrelationId"), event_id),
        operation_time=context.operation_created_on,
        accepted_time=accepted_time,
        user_id=context.user_id,
        initiating_user_id=context.initiating_user_id,
        changed_columns=_changed_columns(context.message_name, content, record_id),
        values=content.target.columns if content.target else {},
        parameters=content.parameters,
        pre_image=pre_image,
        post_image=post_image,
        tag=_tag(document),
        trimmed=_is_trimmed(context, content, headers),
        traceparent=traceparent(headers),
    )


def _writes_iso_dates(document: dict[str, Any]) -> bool:
    """One serialiser wrote the whole document: the way it wrote OperationCreatedOn is the way it writes every date."""
    created_on = document.get("OperationCreatedOn")
    return isinstance(created_on, str) and not looks_like_json_date(created_on)


def _read_content(reader: ValueReader, context: _Context) -> _Content:
    target: Entity | None = None
    parameters: dict[str, Value] = {}
    for name, raw, at in reader.pairs(context.input_parameters, (None, "InputParameters")):
        if name in ("Target", "EntityMoniker"):
            if raw is not None:
                target = reader.entity(raw, at)
        elif (value := reader.value(raw, at)) is not UNREAD:
            parameters[name] = value
    return _Content(target, parameters)


def _read_images(reader: ValueReader, key: str, raw: object, record_id: str | None) -> dict[str, Value]:
    """The registered images, merged: all images of one side show one row at one moment, so they never disagree.

    An image of another row (Merge has one of the subordinate) is left out.
    """
    merged: dict[str, Value] = {}
    for alias, image, at in reader.pairs(raw, (None, key)):
        if alias == _PLATFORM_IMAGE or image is None:
            continue
        row = reader.entity(image, at)
        if row is not None and row.id in (None, record_id):
            merged |= row.columns
    return merged


def _missing(context: _Context, record_id: str | None) -> Iterator[Fault]:
    if context.organization_id is None:
        yield Fault(pointer("OrganizationId"), "must be the organisation's id")
    if context.operation_id is None and context.request_id is None:
        yield Fault(pointer("OperationId"), "must be there, or RequestId: without both the event has no identity")
    if record_id is None and context.message_name in _NEEDS_RECORD:
        yield Fault(pointer("PrimaryEntityId"), f"must be the record of this {context.message_name}")


def _identify(context: _Context, table: str, record_id: str | None) -> str:
    step = context.owning_extension
    return identity.event_id(
        context.operation_created_on,
        context.organization_id,
        step.id if step else None,
        context.message_name,
        table,
        record_id,
        context.operation_id,
        context.request_id,
    )


def _changed_columns(message: str, content: _Content, record_id: str | None) -> tuple[str, ...] | None:
    """Create: every column that was sent. Update: without the key and what the platform writes on every update."""
    target = content.target
    if target is None or message not in ("Create", "Update"):
        return None
    if message == "Create" or target.sent is None:
        return target.sent
    written = (name for name in target.sent if name not in _PLATFORM_WRITTEN)
    return tuple(name for name in written if not _is_key(target.columns.get(name), record_id))


def _is_key(value: Value, record_id: str | None) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.lower() == record_id


def _is_trimmed(context: _Context, content: _Content, headers: Mapping[str, str]) -> bool:
    """Dataverse says so, or what the message must have is not there: the platform removes, nulls or empties it."""
    if any(name in headers for name in _TOO_LARGE_HEADERS) or context.input_parameters is None:
        return True
    if context.message_name in ("Create", "Update"):
        return content.target is None or content.target.sent is None
    has_row = context.primary_entity_name != "none" or context.message_name in _WITHOUT_TABLE
    return has_row and not context.input_parameters


def _tag(document: dict[str, Any]) -> str | None:
    """The `tag` that the writer gave its request; looked for in the same operation's outer pipeline too."""
    operation = (document.get("MessageName"), document.get("PrimaryEntityId"))
    context: Any = document
    for _ in range(_MAX_PARENTS):
        if not isinstance(context, dict) or (context.get("MessageName"), context.get("PrimaryEntityId")) != operation:
            return None
        variables = context.get("SharedVariables")
        for variable in variables if isinstance(variables, list) else ():
            if isinstance(variable, dict) and variable.get("key") == "tag" and isinstance(variable.get("value"), str):
                return str(variable["value"])
        context = context.get("ParentContext")
    return None
