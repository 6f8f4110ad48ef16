"""A flat row: what a flow of Power Automate or Logic Apps has in hand, as its connector for Dataverse gives it.

The trigger "When a row is added, modified or deleted" gives the columns by their logical names, lookups as
`_x_value`, and beside them `SdkMessage`, `ItemInternalId` (the row's id), `@odata.etag` (its version) and `modifiedon`.
So a flow may send that body as `columns`, and needs to say little besides.
"""

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from integration.errors import Fault
from integration.events import identity
from integration.events.dates import to_time
from integration.events.fields import (
    Guid,
    correlation_id,
    guid_or_none,
    is_column,
    not_a,
    to_column,
    to_table,
    traceparent,
    validated,
)
from integration.events.model import IntegrationEvent
from integration.events.trace_state import tracestate
from integration.events.value_reader import MAX_COLUMNS, ValueReader
from integration.events.values import Lookup, Value
from integration.events.wants import WantsOf

_SHAPE: Final = "flat row"
_VERSION = re.compile(r'(?:W/")?(\d{1,19})"?', re.ASCII)
_LOOKUP = re.compile(r"_([a-z][a-z0-9_]{0,120})_value", re.ASCII)
_TABLE_OF_LOOKUP: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
_CHANGED: Final = frozenset({"Create", "Update"})


def _version(raw: object) -> str | None:
    if raw is None or raw == "":
        return None
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    match = _VERSION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('must be a row version: a number, or an ETag such as W/"12345"')
    return match[1]


def _time(raw: object) -> datetime | None:
    return None if raw is None or raw == "" else to_time(raw)


def _names(raw: object) -> tuple[str, ...] | None:
    if raw is None or raw == []:
        return None
    if not isinstance(raw, list) or len(raw) > MAX_COLUMNS:
        raise ValueError("must be a list of columns' logical names")
    return tuple(dict.fromkeys(map(to_column, raw)))


class FlatRow(BaseModel):
    """A change of a row, as a flow sends it. Properties that are not named here are ignored.

    What is left out is taken from `columns`, where the connector for Dataverse has put it. A change is known by the
    version of its row, or by `operationId` where there is none (a row that was deleted): the same change that is sent
    again is the same event.
    """

    model_config = ConfigDict(alias_generator=to_camel)

    table: Annotated[str, BeforeValidator(to_table)] = Field(
        description="The table's logical name.", examples=["new_order"]
    )
    message: Literal["Create", "Update", "Delete"] | None = Field(
        default=None, description="What happened to the row. Left out: SdkMessage of columns."
    )
    id: Guid = Field(
        default=None,
        description="The row's id, a GUID. Left out: ItemInternalId of columns.",
        examples=["44444444-4444-4444-8444-444444444444"],
    )
    columns: dict[str, Any] = Field(
        default_factory=dict,
        description="The row, column by column, as the connector for Dataverse gives it.",
        max_length=MAX_COLUMNS,
    )
    row_version: Annotated[
        str | None, BeforeValidator(_version), WithJsonSchema({"type": ["string", "integer", "null"]})
    ] = Field(default=None, description="The row's version or ETag. Left out: @odata.etag or versionnumber of columns.")
    operation_id: Annotated[str, Field(max_length=200)] | None = Field(
        default=None,
        description="What identifies the change where there is no row version, such as the id of the flow's run.",
    )
    time: Annotated[
        datetime | None, BeforeValidator(_time), WithJsonSchema({"type": ["string", "null"], "format": "date-time"})
    ] = Field(
        default=None,
        description="When the row was changed, ISO 8601. Left out: modifiedon of columns.",
    )
    changed_columns: Annotated[
        tuple[str, ...] | None,
        BeforeValidator(_names),
        WithJsonSchema({"type": ["array", "null"], "items": {"type": "string"}}),
    ] = Field(
        default=None, description="The logical names of the columns that have changed, where the flow knows them."
    )


def read_flat_row(
    document: dict[str, Any],
    *,
    headers: Mapping[str, str],
    caller: str,
    accepted_time: datetime,
    organisation: str,
    wants_of: WantsOf,
) -> IntegrationEvent:
    """The event in `document`; header names in lower case. `Rejected` (400) names what is wrong with its identity.

    `organisation` is the configured one, because the row does not name it. `caller` belongs to the identity, so that
    each caller can follow what it has sent. Values of columns that cannot be read are left out, and named in `unread`.
    """
    row = validated(FlatRow, _completed(document), _SHAPE)
    if row.message is None or row.id is None or row.time is None or not (row.row_version or row.operation_id):
        raise not_a(_SHAPE, [*_missing(row)])
    reader = ValueReader(iso_dates=True, repair=False)
    wanted = wants_of(row.table, row.message).carried
    event_id = identity.event_id(
        row.time,
        organisation,
        _SHAPE,
        caller,
        row.table,
        row.message,
        row.id,
        f"version {row.row_version}" if row.row_version else f"operation {row.operation_id}",
        session_id=f"{row.table}:{row.id}",
    )
    return IntegrationEvent(
        event_id=event_id,
        table=row.table,
        message=row.message,
        record_id=row.id,
        organisation=organisation,
        correlation_id=correlation_id(headers, None, event_id),
        operation_time=row.time,
        accepted_time=accepted_time,
        user_id=None,
        initiating_user_id=None,
        changed_columns=row.changed_columns if row.message in _CHANGED else None,
        values=_values(row.columns, reader, wanted),
        trimmed=bool(reader.unread),
        unread=reader.unread,
        traceparent=traceparent(headers),
        tracestate=tracestate(headers),
    )


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With what the columns say where the flow has not said it itself."""
    columns = document.get("columns")
    if not isinstance(columns, dict):
        return document
    known = {
        "message": columns.get("SdkMessage"),
        "id": columns.get("ItemInternalId") or columns.get(f"{document.get('table')}id"),
        "rowVersion": columns.get("@odata.etag") or columns.get("versionnumber"),
        "time": columns.get("modifiedon"),
    }
    return {**known, **{name: value for name, value in document.items() if value not in (None, "")}}


def _missing(row: FlatRow) -> list[Fault]:
    faults = []
    if row.message is None:
        faults.append(Fault("/message", "must be Create, Update or Delete, or columns must have SdkMessage"))
    if row.id is None:
        faults.append(Fault("/id", "must be the row's id, or columns must have ItemInternalId"))
    if row.time is None:
        faults.append(Fault("/time", "must say when the row was changed, or columns must have modifiedon"))
    if not (row.row_version or row.operation_id):
        faults.append(
            Fault(
                "/rowVersion",
                "must be there, or @odata.etag in columns, or operationId: without one of them, nothing shows whether "
                "the same change is sent again",
            )
        )
    return faults


def _values(columns: Mapping[str, Any], reader: ValueReader, wanted: Container[str]) -> dict[str, Value]:
    plain = {name: raw for name, raw in columns.items() if is_column(name) and not _LOOKUP.fullmatch(name)}
    found = reader.values(plain, (None, "columns"), wanted)
    for name in columns:
        match = _LOOKUP.fullmatch(name)
        if match and match[1] in wanted:
            found[match[1]] = _lookup(columns, name)
    return found


def _lookup(columns: Mapping[str, Any], name: str) -> Value:
    """A lookup, if the row says its table too; its id as text otherwise."""
    row_id = guid_or_none(columns[name])
    table = columns.get(name + _TABLE_OF_LOOKUP) or columns.get(name.removesuffix("_value") + "_type")
    if row_id is None or not table:
        return row_id
    with suppress(ValueError):
        return Lookup(to_table(table), row_id)
    return row_id
