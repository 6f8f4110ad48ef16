"""Settled events as rows of a table, for sinks that write to one.

The schema is the same everywhere: the custom table of Azure Monitor (infra/modules/logsingestion.bicep) and the files
of the lake. It does not change with what comes: a column that is not known yet, and a value that is not of its
column's type, are kept in `More`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from integration.analytics.row import KNOWN, Row

Kind = Literal["string", "long", "datetime", "dynamic"]
"""The types of Kusto; `dynamic` is any JSON."""
MORE: Final = "More"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, its type, and where its value stands in the document: `state` below `data`, `/id` at the top."""

    name: str
    kind: Kind
    source: str
    meaning: str


COLUMNS: Final = (
    Column("EventId", "string", "/id", "The event id, the same in all rows of one event."),
    Column("State", "string", "state", "How the event ended."),
    Column("Reason", "string", "reason", "Why it was dead-lettered."),
    Column("TableName", "string", "table", "The table's logical name."),
    Column("RecordId", "string", "recordId", "The row's id in Dataverse."),
    Column("Message", "string", "message", "The Dataverse message."),
    Column("Attempts", "long", "attempts", "Attempts that it took."),
    Column("OperationTime", "datetime", "operationTime", "When the change was made."),
    Column("AcceptedTime", "datetime", "acceptedTime", "When the intake took the event."),
    Column("SettledTime", "datetime", "settledTime", "When the event ended."),
    Column("CorrelationId", "string", "correlationId", "The correlation id."),
    Column("Organisation", "string", "organisation", "The organisation's id."),
    Column("ReplayOf", "string", "replayOf", "The event that this one was sent again for."),
    Column("ChangedColumns", "dynamic", "changedColumns", "Names of the changed columns."),
    Column("Effects", "dynamic", "effects", "What the flow declares of the answers of the systems."),
    Column("Cut", "dynamic", "cut", "Names of columns that were left out because the row was too large."),
    Column("TraceParent", "string", "/traceparent", "W3C trace context."),
)
"""Of the document; before them stand the columns of `PLACE`, and `More` after them."""
PLACE: Final = (
    Column("HubPartition", "string", "", "The partition of the hub; with SequenceNumber it names the row for good."),
    Column("SequenceNumber", "long", "", "The row's number in its partition."),
    Column("EnqueuedTime", "datetime", "", "When the hub got it."),
)
SCHEMA: Final = (
    *PLACE,
    *COLUMNS,
    Column(MORE, "dynamic", "", "Columns that are not known yet, and values that are not of their column's type."),
)


def table_row(row: Row) -> dict[str, Any]:
    """The values by column, as JSON has them; None where there is none. `row` is a settled event."""
    document = row.document or {}
    fields = _flat(document)
    more = {name: value for name, value in fields.items() if name not in KNOWN}
    values: dict[str, Any] = {
        "HubPartition": row.partition,
        "SequenceNumber": row.sequence_number,
        "EnqueuedTime": row.enqueued_time.isoformat(),
    }
    for column in COLUMNS:
        name = _field(column)
        value = fields.get(name)
        fits = value is None or _FITS[column.kind](value)
        values[column.name] = value if fits else None
        if not fits:
            more[name] = value
    values[MORE] = more or None
    return values


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the document and of its `data`, named as in `KNOWN`."""
    data = document["data"]
    top = {name: value for name, value in document.items() if name != "data"}
    return {**top, **{f"data.{name}": value for name, value in data.items()}}


def _field(column: Column) -> str:
    return column.source[1:] if column.source.startswith("/") else f"data.{column.source}"


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


_FITS: Final[Mapping[Kind, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "long": _is_whole,
    "datetime": _is_time,
    "dynamic": lambda _: True,
}
