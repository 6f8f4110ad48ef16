"""A row as the Web API returns it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from integration.errors import Outage, Permanent
from integration.events.values import Lookup

_LOOKUP_TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or the part of it that was selected.

    `values` has the columns under the names that the Web API uses (a lookup is `_parentaccountid_value`), numbers with
    a fraction as `Decimal`. `lookups` has the non-empty lookup columns under their own name (`parentaccountid`) with
    the table they point to. `etag` says whether the row has changed, but not which of two states is newer. `version`
    (the column versionnumber) does, because it grows with every change. `currency` is the ISO 4217 code of the row's
    currency, if it was asked for. `annotations` are the names of what else the answer says of the row.
    """

    entity_set: str
    id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    etag: str | None = None
    version: int | None = None
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    currency: str | None = None
    annotations: frozenset[str] = frozenset()


def read_row(entity_set: str, row_id: str, content: Any) -> Row:
    """A `Row` from the JSON of an answer.

    Raises `Outage` if it has no OData context, as every row of Dataverse has: then something else answered.
    """
    if not isinstance(content, dict) or "@odata.context" not in content:
        raise Outage(
            "dataverse answered with something other than a row", reason="dataverse-answer-invalid", service="dataverse"
        )
    return _row(entity_set, row_id, content)


def related_rows(row: Row, navigation: str) -> tuple[Row, ...]:
    """The rows that were expanded at `navigation`, a single-valued or a collection-valued property; they have no id.

    Raises `Permanent` (row-incomplete) where Dataverse has left some of them out.
    """
    if f"{navigation}@odata.nextLink" in row.annotations:
        raise Permanent(f"{navigation} has more rows than Dataverse gives at once", reason="row-incomplete")
    found = row.values.get(navigation) or []
    contents = found if isinstance(found, list) else [found]
    return tuple(replace(_row(navigation, "", it), currency=row.currency) for it in contents)


def version_of(row: Row) -> int:
    """The row's version; raises `Permanent` where Dataverse gives none, as order could not be kept without it."""
    if row.version is None:
        raise Permanent(f"rows of {row.entity_set} come without versionnumber", reason="row-without-version")
    return row.version


def _row(entity_set: str, row_id: str, content: Mapping[str, Any]) -> Row:
    values = {key: value for key, value in content.items() if "@" not in key}
    lookups = {
        _column(key): Lookup(table, values[key])
        for key in values
        if values[key] is not None and (table := content.get(key + _LOOKUP_TABLE))
    }
    return Row(
        entity_set=entity_set,
        id=row_id,
        values=MappingProxyType(values),
        etag=content.get("@odata.etag"),
        version=_version(values.get("versionnumber")),
        lookups=MappingProxyType(lookups),
        annotations=frozenset(key for key in content if "@" in key),
    )


def differs(row: Row, values: Mapping[str, Any]) -> bool:
    """Whether writing `values` would change `row`; columns that were not selected count as different.

    Numbers are compared by value (100 and 100.0000000000 are the same), times by the moment that they stand for. A
    lookup (`parentaccountid@odata.bind`) is compared by the id at the end of its address.
    """
    return any(not _holds(row, name, value) for name, value in values.items())


def _holds(row: Row, name: str, value: Any) -> bool:
    if name.endswith(_BIND):
        name, value = f"_{name.removesuffix(_BIND).lower()}_value", value and _GUID_AT_END.search(str(value).lower())
        value = value and value.group(1)
    if name not in row.values:
        return False
    has = row.values[name]
    if isinstance(has, bool) or isinstance(value, bool) or has is None or value is None:
        return has is value
    if isinstance(value, int | Decimal) and isinstance(has, int | Decimal):
        return has == value
    moments = _moment(has), _moment(value)
    return moments[0] == moments[1] if None not in moments else has == value


def _moment(value: Any) -> datetime | None:
    """A time, or a text that Dataverse writes for one."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


_BIND = "@odata.bind"
_GUID_AT_END = re.compile(r"\(([0-9a-f-]{36})\)$")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _column(key: str) -> str:
    return key.removeprefix("_").removesuffix("_value")


def _version(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
