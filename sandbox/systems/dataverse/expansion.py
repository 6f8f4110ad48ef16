"""`$expand`: rows behind lookups, and the rows of collections, with the options that are nested in it.

Source of the rules: "Join tables using OData" in Microsoft's documentation.
"""

from typing import Any
from urllib.parse import quote

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_property, not_simulated
from sandbox.systems.dataverse.query import PAGE_LIMIT, Preferences, Query
from sandbox.systems.dataverse.relations import LINKS_AT_MOST, Relationship, collections
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.selection import Selection, page_cookie
from sandbox.systems.dataverse.store import Row, Store


class Expansion:
    """Shows what one request expands."""

    def __init__(self, store: Store, schema: Schema, call: Call, query: Query) -> None:
        self._store, self._schema, self._root = store, schema, call.root
        self._representation, self._selection = Representation(store, schema), Selection(store, schema)
        self._preferences, self._nests = Preferences.read(call.headers), query.nests
        if query.expansions > LINKS_AT_MOST:
            raise ODataError(400, "0x8004430D", "Number of link entities in query exceeded maximum limit.")

    def check(self, table: Table, query: Query) -> None:
        """400 for navigation properties and nested options that cannot be, whether or not there are rows."""
        for name, nested in query.expand.items():
            self._check(table, name, nested)

    def related(self, table: Table, row: Row, query: Query) -> dict[str, Any]:
        """The expanded properties of a row."""
        shown: dict[str, Any] = {}
        for name, nested in query.expand.items():
            if name in table.by_navigation:
                shown[name] = self._one(table, row, name, nested)
            else:
                shown |= self._many(table, row, collections(self._schema, table)[name], nested)
        return shown

    def _check(self, table: Table, name: str, nested: Query) -> None:
        if name in table.by_navigation:
            column, target = table.by_navigation[name]
            if nested.order or nested.top:
                raise _only_select_and_filter()
            if nested.filter is not None:
                raise not_simulated(f"$filter nested in $expand of the single-valued navigation property {name}")
            targets = [target] if target else list(column.navigation)
            other = next((found for each in targets if (found := self._schema.get(each)) is not None), None)
            if other is None:
                raise not_simulated(f"The table behind the navigation property {name}")
        else:
            relationship = collections(self._schema, table).get(name)
            if relationship is None:
                raise no_such_property(name, table.name)
            if nested.reference:
                raise bad_request("Expand with $ref is only supported on lookup type navigation property.")
            if self._nests and (nested.order or nested.top):
                raise _only_select_and_filter()
            other = relationship.table
            self._selection.matching(other, nested, among=[])
        self._representation.check(other, nested)
        self.check(other, nested)

    def _one(self, table: Table, row: Row, name: str, nested: Query) -> dict[str, Any] | None:
        column, target = table.by_navigation[name]
        reference = row.values.get(column.name)
        if reference is None or (target is not None and reference["table"] != target):
            return None
        found = self._store.get(reference["table"], reference["id"])
        if found is None:
            return None
        other = self._schema[found.table]
        if nested.reference:
            return {"@odata.id": f"{self._root}{other.set_name}({found.id})"}
        return self._representation.row(other, found, nested, self._preferences, self.related)

    def _many(self, table: Table, row: Row, relationship: Relationship, nested: Query) -> dict[str, Any]:
        """The rows of a collection; pages are cut only where an `$expand` is nested in another."""
        found = self._selection.matching(relationship.table, nested, among=relationship.rows(self._store, row.id))
        size = self._preferences.page_size if self._nests else PAGE_LIMIT
        size = size if nested.top is None else nested.top
        shown = [
            self._representation.row(relationship.table, each, nested, self._preferences, self.related)
            for each in found[:size]
        ]
        address = f"{self._root}{table.set_name}({row.id})/{relationship.name}"
        options = [f"{name}={quote(text.strip(), safe='(),$;=')}" for name, text in nested.options.items()]
        if self._nests and nested.top is None and len(found) > size:
            options.append(f"$skiptoken={quote(page_cookie(size, size), safe='')}")
        link = address + ("?" + "&".join(options) if options else "")
        return {relationship.name: shown, f"{relationship.name}@odata.nextLink": link}


def _only_select_and_filter() -> ODataError:
    return bad_request(
        "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "
        "one-to-many relationship."
    )
