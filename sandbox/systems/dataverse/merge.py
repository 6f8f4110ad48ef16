"""Merge: one of two rows stays as the master, the other one is deactivated, and what refers to it refers to the master.

Source: "Merge" in Microsoft's Web API reference, and "Merge table rows using the SDK". They do not say whether the
subordinate's deactivation fires Update steps too; here only the steps on Merge fire, and the Update steps of what
refers to the master now, so that whoever listens must not rely on more.
"""

from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.body import read_columns, read_object, read_parameters
from sandbox.systems.dataverse.errors import bad_request, no_such_row
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.relations import relationships
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import is_guid

MERGE = "Merge"
TABLES = frozenset({"account", "contact"})
_NEEDED = {"Target": dict, "Subordinate": dict}
_OPTIONAL = {"UpdateContent": dict, "PerformParentingChecks": bool}
_TYPE = "Microsoft.Dynamics.CRM."
_INVALID = "0x80048d19"


class Merge:
    """The action at the root."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService) -> None:
        self._store, self._schema, self._service = store, schema, service

    def answer(self, operation: Operation) -> web.Response:
        """204; 400 for rows that cannot be merged, 404 where one is not there."""
        body = read_parameters(MERGE, read_object(operation.call), _NEEDED, _OPTIONAL)
        table, target = self._row(body["Target"])
        other, subordinate = self._row(body["Subordinate"])
        if other is not table or target.id == subordinate.id:
            raise bad_request("Merge needs two rows of the same table.", _INVALID)
        sent = read_columns(table, body.get("UpdateContent") or {}, self._schema, self._store)
        self._service.merge(operation.unit, table, target, subordinate, sent, operation.info)
        self._move(operation, table, subordinate.id, target.id)
        return web.Response(status=204)

    def _move(self, operation: Operation, table: Table, old: str, new: str) -> None:
        """What refers to the subordinate refers to the master from now on."""
        for each in relationships(self._schema):
            if each.target == table.name and each.column.name != "masterid":
                for row in each.rows(self._store, old):
                    lookup = {each.column.name: {"table": table.name, "id": new}}
                    self._service.update(operation.unit, each.table, row, lookup, operation.info)

    def _row(self, raw: dict[str, Any]) -> tuple[Table, Row]:
        name = str(raw.get("@odata.type", "")).removeprefix("#").removeprefix(_TYPE)
        if name not in TABLES:
            raise bad_request(
                "Target and Subordinate are rows with the @odata.type of an account or a contact.", _INVALID
            )
        table = self._schema[name]
        row_id = str(raw.get(table.id_column)).lower()
        row = self._store.get(name, row_id) if is_guid(row_id) else None
        if row is None:
            raise no_such_row(name, row_id)
        return table, row
