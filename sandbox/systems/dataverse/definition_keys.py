"""Finds the definition that stands in parentheses: a table's column, its alternate key, or the name of anything."""

import re
from typing import Any

from sandbox.systems.dataverse.definitions import column_id, key_id
from sandbox.systems.dataverse.errors import ODataError, bad_request
from sandbox.systems.dataverse.schema import Column, Table
from sandbox.systems.dataverse.values import is_guid

_NAMED = re.compile(r"(?P<name>LogicalName|SchemaName|MetadataId)=(?P<quote>'?)(?P<value>[\w-]+)(?P=quote)")


def find_column(table: Table, key: str) -> Column:
    """The column with that LogicalName or MetadataId; 404 without one."""
    name, value = named(key)
    for column in table.columns.values():
        if value == {"LogicalName": column.name, "MetadataId": column_id(table, column.name)}.get(name):
            return column
    raise not_found("an attribute", key)


def find_key(table: Table, key: str) -> dict[str, Any]:
    """The alternate key with that LogicalName or MetadataId; 404 without one."""
    name, value = named(key)
    for definition in table.key_definitions:
        if value == {"LogicalName": definition["LogicalName"], "MetadataId": key_id(table, definition)}.get(name):
            return definition
    raise not_found("an entity key", key)


def named(key: str) -> tuple[str, str]:
    """The property and the value that stand in the parentheses."""
    if is_guid(key):
        return "MetadataId", key.lower()
    found = _NAMED.fullmatch(key)
    if found is None:
        raise bad_request(f"The key '{key}' of a definition is its MetadataId, LogicalName='...' or SchemaName='...'.")
    return found["name"], found["value"]


def not_found(what: str, key: str) -> ODataError:
    """404: no definition with that key."""
    return ODataError(404, "0x80060888", f"Could not find {what} with specified key: {key}")
