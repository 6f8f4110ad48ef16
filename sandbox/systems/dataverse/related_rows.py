"""`accounts(...)/contact_customer_accounts`: the rows of a collection, one of them, and references to them.

Source: "Associate and disassociate table rows using the Web API" in Microsoft's documentation.
"""

from aiohttp import web

from sandbox.systems.dataverse.addressing import Address, Segment, path_address, reference
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_object
from sandbox.systems.dataverse.collection import Collections
from sandbox.systems.dataverse.errors import bad_request, no_such_row, no_such_segment, not_allowed
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.query import Preferences
from sandbox.systems.dataverse.relations import Relationship
from sandbox.systems.dataverse.schema import Schema
from sandbox.systems.dataverse.store import Row, Store


class RelatedRows:
    """Answers for collection-valued navigation properties."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService, collections: Collections) -> None:
        self._store, self._schema, self._service, self._collections = store, schema, service, collections

    def answer(self, operation: Operation, owner: Row, relationship: Relationship, part: Segment) -> web.Response:
        """`part` is the navigation property with what stands after it; a single row is answered elsewhere."""
        call = operation.call
        if part.rest == "$ref":
            return self._refer(operation, owner, relationship, part.key)
        if call.method != "GET":
            raise not_allowed(call.method)
        self._service.access.check(operation.info.user, "Read", relationship.table)
        among = relationship.rows(self._store, owner.id)
        if part.rest == "$count":
            return web.Response(text=str(self._collections.count(relationship.table, call, among=among)))
        if part.rest is not None:
            raise no_such_segment(part.rest)
        page = self._collections.page(relationship.table, call, among=among)
        return Preferences.read(call.headers).applied(json_answer(page), tracked=True)

    def member(self, owner: Row, relationship: Relationship, key: str) -> Address:
        """One row of the collection; 404 for a row that is not in it."""
        at = path_address(relationship.table, key)
        row = at.require(self._store)
        if not relationship.holds(row, owner.id):
            raise no_such_row(relationship.table.name, row.id)
        return at

    def _refer(self, operation: Operation, owner: Row, relationship: Relationship, key: str | None) -> web.Response:
        """GET the addresses of all, POST {"@odata.id"} to add one, DELETE the one in parentheses or in `$id`."""
        call, table = operation.call, relationship.table
        refused = [name for name in call.query if name.startswith("$") and (name != "$id" or call.method != "DELETE")]
        if refused:
            raise bad_request(f"The query option {refused[0]} cannot be applied to references.")
        if call.method == "GET" and key is None:
            found = sorted(row.id for row in relationship.rows(self._store, owner.id))
            value = [{"@odata.id": f"{call.root}{table.set_name}({row_id})"} for row_id in found]
            return json_answer({"@odata.context": f"{call.root}$metadata#Collection($ref)", "value": value})
        if call.method == "POST" and key is None:
            row_id = reference(table.name, read_object(call).get("@odata.id"), self._schema, self._store)["id"]
            self._set(operation, relationship, row_id, {"table": relationship.target, "id": owner.id})
            return web.Response(status=204)
        if call.method == "DELETE":
            self._set(operation, relationship, self._named(operation, owner, relationship, key), None)
            return web.Response(status=204)
        raise not_allowed(call.method)

    def _named(self, operation: Operation, owner: Row, relationship: Relationship, key: str | None) -> str:
        if key is not None:
            return self.member(owner, relationship, key).require(self._store).id
        uri = operation.call.query.get("$id")
        if uri is None:
            raise bad_request("The reference to delete is named in parentheses or with the query option $id.")
        return reference(relationship.table.name, uri, self._schema, self._store)["id"]

    def _set(self, operation: Operation, relationship: Relationship, row_id: str, value: dict[str, str] | None) -> None:
        row = Address(relationship.table, row_id, {}).require(self._store)
        sent = {relationship.column.name: value}
        self._service.update(operation.unit, relationship.table, row, sent, operation.info)
