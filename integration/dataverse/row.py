"""A row as the Web API answers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from integration.errors import Permanent
from integration.events.values import Lookup

_LOOKUP_TABLE = "@Microsoft.Dynamics.CRM.lookuplogicalname"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, or the part of it that was selected.

    `values` has the columns under the names that the Web API uses (a lookup is `_parentaccountid_value`), numbers with
    a fraction as `Decimal`. `lookups` has the non-empty lookup columns under their own name (`parentaccountid`) with
    the table they point to. `etag` says whether the row has changed, never which state is newer: that says `version`
    (the column versionnumber), which grows with every change.
    """

    entity_set: str
    id: str
    values: Mapping[str, Any]
    etag: str | None
    version: int | None
    lookups: Mapping[str, Lookup]


def read_row(entity_set: str, row_id: str, content: Any) -> Row:
    """A `Row` from the JSON of an answer; raises `Permanent` when it is not a JSON object."""
    if not isinstance(content, dict):
        raise Permanent("Dataverse answered with something else than a row", reason="dataverse-answer-invalid")
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
    )


def _column(key: str) -> str:
    return key.removeprefix("_").removesuffix("_value")


def _version(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
