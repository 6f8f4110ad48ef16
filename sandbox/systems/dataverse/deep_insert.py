"""Rows that are created together with the row that refers to them, or that they refer to.

Source: "Create related table rows in one operation" in Microsoft's documentation.
"""

from typing import Any

from sandbox.systems.dataverse.body import read_columns
from sandbox.systems.dataverse.errors import bad_request
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.relations import collections
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store, Values


class DeepInsert:
    """Creates rows with what is nested in their bodies."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService) -> None:
        self._store, self._schema, self._service = store, schema, service

    def create(self, operation: Operation, table: Table, body: dict[str, Any], known: Values | None = None) -> Row:
        """Rows behind lookups come first, then the row itself, then those of its collections.

        `known` are columns that no body names.
        """
        many = collections(self._schema, table)
        behind = {name: value for name, value in body.items() if name in table.by_navigation and value is not None}
        nested = {name: value for name, value in body.items() if name in many}
        plain = {name: value for name, value in body.items() if name not in behind and name not in nested}
        sent = read_columns(table, plain, self._schema, self._store) | (known or {})
        for name, value in behind.items():
            sent |= self._behind(operation, table, name, value)
        row = self._service.create(operation.unit, table, sent, operation.info)
        for name, value in nested.items():
            if not isinstance(value, list):
                raise _wrong(name)
            lookup = {many[name].column.name: {"table": table.name, "id": row.id}}
            for each in value:
                self.create(operation, many[name].table, _object(name, each), lookup)
        return row

    def _behind(self, operation: Operation, table: Table, name: str, value: Any) -> Values:
        column, target = table.by_navigation[name]
        if target is None:
            raise _wrong(name)
        made = self.create(operation, self._schema[target], _object(name, value))
        return {column.name: {"table": target, "id": made.id}}


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name)
    return value


def _wrong(name: str) -> Exception:
    return bad_request(f"The value of the navigation property '{name}' cannot be created with the row.", "0x80048d19")
