"""CreateMultiple, UpdateMultiple and UpsertMultiple: rows of one table, all or none.

Source: "Use bulk operation messages" in Microsoft's documentation. The pipelines are merged: the Create or Update steps
of the table fire for each row, as if it had been written by itself, and those on CreateMultiple or UpdateMultiple once.
"""

from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.addressing import Address, Segment, address
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_columns, read_object
from sandbox.systems.dataverse.change import Change
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.errors import ODataError, bad_request, invalid_argument, not_allowed
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.values import is_guid

MESSAGES = frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple", "DeleteMultiple"})
_INVALID = "0x80048d19"


class Bulk:
    """The messages bound to an entity set."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService) -> None:
        self._store, self._schema, self._service = store, schema, service

    def answer(self, operation: Operation, table: Table, message: str) -> web.Response:
        """200 with the ids of what was created, 204 for the other messages; an error undoes them all."""
        if operation.call.method != "POST":
            raise not_allowed(operation.call.method)
        targets = _targets(table, read_object(operation.call))
        if message == "DeleteMultiple":
            raise invalid_argument("DeleteMultiple has not yet been implemented.")
        changes: list[Change] = []
        if message == "CreateMultiple":
            ids = [self._create(operation, table, target, changes) for target in targets]
            self._service.announce(operation.unit, changes)
            context = f"{operation.call.root}$metadata#{NAMESPACE}CreateMultipleResponse"
            return json_answer({"@odata.context": context, "Ids": ids})
        for target in targets:
            self._write(operation, table, target, changes, may_create=message == "UpsertMultiple")
        self._service.announce(operation.unit, changes)
        return web.Response(status=204)

    def _create(self, operation: Operation, table: Table, target: dict[str, Any], changes: list[Change]) -> str:
        sent = read_columns(table, target, self._schema, self._store)
        return self._service.create(operation.unit, table, sent, operation.info, changes).id

    def _write(
        self, operation: Operation, table: Table, target: dict[str, Any], changes: list[Change], *, may_create: bool
    ) -> None:
        at = _address(table, target)
        row = at.find(self._store)
        sent = read_columns(table, target, self._schema, self._store)
        if row is not None:
            self._service.update(operation.unit, table, row, sent, operation.info, several=changes)
        elif may_create:
            new = sent | at.key | {table.id_column: at.row_id or operation.unit.new_id()}
            self._service.create(operation.unit, table, new, operation.info, changes)
        elif at.row_id is not None:
            raise ODataError(404, "0x80040217", f"{table.name} With Ids = {at.row_id} Do Not Exist")
        else:
            at.require(self._store)


def _targets(table: Table, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameter Targets; every item has to say its type."""
    targets = body.get("Targets")
    if not isinstance(targets, list) or not targets or not all(isinstance(each, dict) for each in targets):
        raise bad_request("The parameter Targets is a list of rows.", _INVALID)
    unknown = sorted(body.keys() - {"Targets"})
    if unknown:
        raise bad_request(f"The parameter '{unknown[0]}' is not a parameter of this action.", _INVALID)
    for target in targets:
        if str(target.get("@odata.type")).removeprefix("#") != f"{NAMESPACE}{table.name}":
            raise bad_request(f"Every item of Targets needs the @odata.type '{NAMESPACE}{table.name}'.", _INVALID)
    return targets


def _address(table: Table, target: dict[str, Any]) -> Address:
    """The row that `@odata.id` or the primary key in an item names."""
    uri, row_id = target.get("@odata.id"), target.get(table.id_column)
    if isinstance(uri, str):
        segment = Segment.parse(uri.rpartition("/")[2] if "://" in uri else uri.lstrip("/"))
        if segment.name == table.set_name and segment.key is not None:
            return address(table, segment.key)
    elif is_guid(row_id):
        return Address(table, str(row_id).lower(), {})
    raise bad_request(f"Every item of Targets needs its primary key '{table.id_column}', or an @odata.id.", _INVALID)
