"""Finds the row that a path or an `@odata.bind` names, by primary key or by alternate key."""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse.errors import bad_request, no_such_key, no_such_row, no_such_segment
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import is_guid, read

_SEGMENT = re.compile(r"(?P<name>[$\w.]+)(?:\((?P<key>(?:'(?:[^']|'')*'|[^')])*)\))?(?:/(?P<rest>.*))?")
_KEY_PART = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<value>'(?:[^']|'')*'|[^,']*)\s*(?:,|$)")
_UNUSABLE = frozenset("/<>*%&:\\?+#")
_NUMBERS = frozenset({"Integer", "Picklist", "State", "Status"})


@dataclass(frozen=True)
class Segment:
    """`name(key)/rest` of a path; `key` is None where there are no parentheses."""

    name: str
    key: str | None
    rest: str | None

    @classmethod
    def parse(cls, path: str) -> "Segment":
        """Split a decoded path."""
        found = _SEGMENT.fullmatch(path)
        if found is None:
            raise no_such_segment(path)
        return cls(found["name"], found["key"], found["rest"])


@dataclass(frozen=True)
class Address:
    """A row that may or may not be there; `key` are the alternate key's columns as stored, empty for a primary key."""

    table: Table
    row_id: str | None
    key: dict[str, Any]

    def find(self, store: Store) -> Row | None:
        """The row, if it is there."""
        if self.row_id is not None:
            return store.get(self.table.name, self.row_id)
        return store.find(self.table.name, {name: _indexed(value) for name, value in self.key.items()})

    def require(self, store: Store) -> Row:
        """The row; 404 otherwise."""
        row = self.find(store)
        if row is None:
            raise no_such_row(self.table.name, self.row_id) if self.row_id else no_such_key(self.table.name)
        return row


def address(table: Table, key: str) -> Address:
    """Read what stands in the parentheses."""
    if is_guid(key):
        return Address(table, key.lower(), {})
    named = _named_values(key)
    if set(named) == {table.id_column} and is_guid(named[table.id_column]):
        return Address(table, named[table.id_column].lower(), {})
    columns = {table.by_property[name].name: text for name, text in named.items() if name in table.by_property}
    if not columns or tuple(sorted(columns)) not in {tuple(sorted(each)) for each in table.keys}:
        said = f"The specified key attributes are not a defined key for the {table.name} entity"
        raise bad_request(said, "0x80060890")  # EntityKeyNotDefined
    return Address(table, None, {name: _read(table, name, text) for name, text in columns.items()})


def path_address(table: Table, key: str) -> Address:
    """As `address`, for a path: rows whose alternate key has some characters cannot be reached there.

    Source: "Define alternate keys for a table" in Microsoft's documentation, which does not say how they are refused.
    """
    unusable = next((each for each in key if each in _UNUSABLE), None)
    if unusable is not None:
        raise bad_request(f"An alternate key with the character '{unusable}' cannot be used in the request URI.")
    return address(table, key)


def reference(target: str | None, uri: Any, schema: Schema, store: Store) -> dict[str, str]:
    """The row that `@odata.bind` names (`/accounts(...)`, relative or absolute); 400 or 404 otherwise."""
    if not isinstance(uri, str):
        raise bad_request("The value of an @odata.bind annotation is a URI.")
    segment = Segment.parse(uri.rpartition("/api/data/")[2].partition("/")[2] if "://" in uri else uri.lstrip("/"))
    table = schema.by_set(segment.name)
    if table is None or segment.key is None:
        raise no_such_segment(segment.name)
    if target is not None and table.name != target:
        raise bad_request(f"A resource of type '{table.name}' cannot be bound where '{target}' is expected.")
    return {"table": table.name, "id": address(table, segment.key).require(store).id}


def _named_values(key: str) -> dict[str, str]:
    named, at = {}, 0
    while at < len(key):
        found = _KEY_PART.match(key, at)
        if found is None or found.end() == at:
            raise bad_request(f"Bad Request - Error in query syntax: '{key}'.")
        named[found["name"]] = found["value"]
        at = found.end()
    return named


def _read(table: Table, name: str, text: str) -> Any:
    column = table.columns[name]
    plain = text[1:-1].replace("''", "'") if text.startswith("'") else text
    if column.is_lookup:
        return {"table": next(iter(column.navigation)), "id": plain.lower()}
    return read(table.name, column, int(plain) if column.type in _NUMBERS and plain.isdigit() else plain)


def _indexed(value: Any) -> Any:
    """The form that sqlite's json_extract gives for a stored value."""
    return f'{{"table":"{value["table"]}","id":"{value["id"]}"}}' if isinstance(value, dict) else value
