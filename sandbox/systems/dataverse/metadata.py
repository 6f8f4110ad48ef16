"""Definitions: tables, columns and keys are read, added, changed and deleted, and kept; relationships are read."""

import json
import sqlite3
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse import external_messages, option_values, solutions
from sandbox.systems.dataverse.addressing import Segment
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.body import read_object
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.definition_bodies import (
    changed_column,
    changed_table,
    new_column,
    new_key,
    new_table,
)
from sandbox.systems.dataverse.definition_keys import find_column, find_key, named, not_found
from sandbox.systems.dataverse.definitions import (
    NAMESPACE,
    RELATIONS,
    column_document,
    column_id,
    entity_row,
    key_document,
    key_id,
    metadata_type,
    relationship_documents,
    table_document,
    table_id,
)
from sandbox.systems.dataverse.errors import (
    ODataError,
    bad_request,
    key_violated,
    no_such_segment,
    not_allowed,
    not_simulated,
)
from sandbox.systems.dataverse.metadata_answers import (
    KEY,
    cast_type,
    column_kind,
    context_of,
    created,
    many,
    one,
    one_property,
    read_column,
    related,
    relationships,
    table_kind,
)
from sandbox.systems.dataverse.metadata_query import check_options
from sandbox.systems.dataverse.privileges import privileges_of
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.solutions import Solutions
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.virtual_definitions import check_source

COLLECTIONS = frozenset({"EntityDefinitions", "RelationshipDefinitions"})
_STORED = "CREATE TABLE IF NOT EXISTS tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL);"


class Metadata:
    """The definitions in force; a table that was changed is stored whole and wins at the next start."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema, self._solutions = store, schema, Solutions(store, schema)
        store.database.executescript(_STORED)
        for stored in store.database.execute("SELECT definition FROM tables ORDER BY rowid").fetchall():
            schema.define(json.loads(stored["definition"]))
        for table in schema:
            for key in table.keys:
                store.enforce_key(table.name, key)

    def answer(self, call: Call, segment: Segment, solution: str | None) -> web.Response:
        """Requests under `EntityDefinitions` and `RelationshipDefinitions`; what is made goes into the solution."""
        if call.method != "GET":
            check_options(call.query, frozenset())
        if segment.name == "RelationshipDefinitions":
            return self._relationships(call, segment)
        if segment.key is None:
            return self._on_tables(call, segment, solution)
        table = self._find(segment.key)
        if segment.rest is None:
            return self._on_table(call, table)
        return self._on_part(call, table, Segment.parse(segment.rest), solution)

    def _on_part(self, call: Call, table: Table, part: Segment, solution: str | None) -> web.Response:
        if part.name == "Attributes":
            return self._on_columns(call, table, part, solution)
        if part.name == "Keys":
            return self._on_keys(call, table, part, solution)
        if part.name == "Settings":
            raise not_simulated(f"EntityDefinitions(...)/{part.name}")
        if call.method != "GET":
            raise not_allowed(call.method)
        if part.name in RELATIONS:
            return relationships(call, part, related(self._schema, table, part.name))
        if part.key is not None:
            raise no_such_segment(part.name)
        return one_property(call, table_document(table), part)

    def create_tables(self, call: Call, solution: str | None) -> web.Response:
        """`POST CreateEntities {"Entities": [...]}`: all or none; they go into the solution."""
        if call.method != "POST":
            raise not_allowed(call.method)
        bodies = read_object(call).get("Entities")
        if not isinstance(bodies, list) or not bodies or not all(isinstance(each, dict) for each in bodies):
            raise bad_request("CreateEntities needs the parameter Entities, a list of definitions.", "0x80048d19")
        taken, made = {table.name for table in self._schema}, []
        for body in bodies:
            made.append(new_table(body, taken))
            taken.add(made[-1]["LogicalName"])
        tables = [self._add(definition, solution) for definition in made]
        context = f"{call.root}$metadata#{NAMESPACE}CreateEntitiesResponse"
        ids = {"EntityIds": [table_id(table) for table in tables]}
        return json_answer({"@odata.context": context} | ids)

    def option_value(self, call: Call, action: str) -> web.Response:
        """`POST InsertOptionValue` or `UpdateOptionValue`."""
        definition, value = option_values.changed(action, read_object(call), self._schema)
        self._define(definition)
        if action == option_values.UPDATE:
            return web.Response(status=204)
        context = f"{call.root}$metadata#{NAMESPACE}{action}Response"
        return json_answer({"@odata.context": context, "NewOptionValue": value})

    def _on_tables(self, call: Call, segment: Segment, solution: str | None) -> web.Response:
        if segment.rest is not None:
            raise no_such_segment(segment.rest)
        if call.method == "GET":
            documents = [table_document(table) for table in self._schema]
            return many(call, "EntityDefinitions", documents, table_kind(self._schema))
        if call.method == "POST":
            table = self._add(new_table(read_object(call), {table.name for table in self._schema}), solution)
            return created(f"{call.root}EntityDefinitions({table_id(table)})")
        raise not_allowed(call.method)

    def _on_table(self, call: Call, table: Table) -> web.Response:
        if call.method == "GET":
            return one(call, "EntityDefinitions", table_document(table), table_kind(self._schema))
        if call.method == "PUT":
            self._define(changed_table(table, read_object(call)))
            return web.Response(status=204)
        if call.method == "DELETE":
            if not table.definition.get("IsCustomEntity"):
                raise ODataError(
                    400, "0x80047008", f"The specified entity is not customizable: {table.name} is a system entity."
                )
            self._delete_table(table)
            return web.Response(status=204)
        raise not_allowed(call.method)

    def _on_columns(self, call: Call, table: Table, part: Segment, solution: str | None) -> web.Response:
        if part.key is not None:
            column = find_column(table, part.key)
            return self._on_column(call, table, column, part.rest)
        if part.rest is not None and call.method != "GET":
            raise not_allowed(call.method)
        if call.method == "GET":
            cast, columns = None, list(table.columns.values())
            if part.rest is not None:
                cast = cast_type(part.rest)
                columns = [column for column in columns if metadata_type(column) == cast]
            documents = [column_document(table, column) for column in columns]
            return many(call, f"{context_of(table)}/Attributes", documents, column_kind(table, cast))
        if call.method == "POST":
            definition = new_column(table, read_object(call))
            self._define(table.with_column(definition))
            made = column_id(table, definition["LogicalName"])
            self._solutions.made(solution, solutions.COLUMN, made)
            return created(f"{call.address}({made})")
        raise not_allowed(call.method)

    def _on_column(self, call: Call, table: Table, column: Column, rest: str | None) -> web.Response:
        if call.method == "GET":
            return read_column(call, table, column, rest)
        if rest is not None and (call.method != "PUT" or cast_type(rest) != metadata_type(column)):
            raise not_allowed(call.method)
        if call.method == "PUT":
            self._define(table.with_column(changed_column(table, column, read_object(call))))
            return web.Response(status=204)
        if call.method == "DELETE":
            _check_deletable(table, column)
            others = [each.definition for each in table.columns.values() if each is not column]
            self._define(table.whole() | {"Attributes": others})
            self._store.forget_column(table.name, column.name)
            self._solutions.forget(column_id(table, column.name))
            return web.Response(status=204)
        raise not_allowed(call.method)

    def _on_keys(self, call: Call, table: Table, part: Segment, solution: str | None) -> web.Response:
        if part.rest is not None:
            raise no_such_segment(part.rest)
        if part.key is not None:
            return self._on_key(call, table, find_key(table, part.key))
        if call.method == "GET":
            documents = [key_document(table, key) for key in table.key_definitions]
            return many(call, f"{context_of(table)}/Keys", documents, KEY)
        if call.method == "POST":
            definition = new_key(table, read_object(call))
            self._enforce(table, definition)
            whole = table.whole()
            self._define(whole | {"Keys": [*whole["Keys"], definition]})
            made = key_id(table, definition)
            self._solutions.made(solution, solutions.KEY, made)
            return created(f"{call.address}({made})")
        raise not_allowed(call.method)

    def _on_key(self, call: Call, table: Table, key: dict[str, Any]) -> web.Response:
        if call.method == "GET":
            return one(call, f"{context_of(table)}/Keys", key_document(table, key), KEY)
        if call.method == "DELETE":
            whole = table.whole()
            self._define(whole | {"Keys": [each for each in whole["Keys"] if each != key]})
            self._store.release_key(table.name, tuple(key["KeyAttributes"]))
            self._solutions.forget(key_id(table, key))
            return web.Response(status=204)
        raise not_allowed(call.method)

    def _relationships(self, call: Call, segment: Segment) -> web.Response:
        if call.method != "GET":
            raise not_simulated("Changing relationships")
        return relationships(call, segment, relationship_documents(self._schema))

    def _find(self, key: str) -> Table:
        name, value = named(key)
        for table in self._schema:
            if value == {"LogicalName": table.name, "MetadataId": table_id(table)}.get(name):
                return table
        raise not_found("an entity", key)

    def _enforce(self, table: Table, definition: dict[str, Any]) -> None:
        columns = tuple(definition["KeyAttributes"])
        try:
            self._store.enforce_key(table.name, columns)
        except sqlite3.IntegrityError as violated:
            raise key_violated(table.name, ",".join(columns)) from violated

    def _add(self, definition: dict[str, Any], solution: str | None) -> Table:
        table = self._define(definition)
        self._solutions.made(solution, solutions.TABLE, table_id(table))
        self._store.put("entity", table_id(table), entity_row(table))
        for privilege in privileges_of(table).values():
            self._store.put("privilege", privilege.id, privilege.row())
        return table

    def _define(self, definition: dict[str, Any]) -> Table:
        check_source(definition, self._store)
        self._store.database.execute(
            "INSERT INTO tables VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
            (definition["LogicalName"], json.dumps(definition, default=float)),
        )
        return self._schema.define(definition)

    def _delete_table(self, table: Table) -> None:
        for other in self._schema:
            for column in other.columns.values():
                if other is not table and table.name in column.navigation:
                    said = f"The entity {table.name} cannot be deleted: {other.name}.{column.name} refers to it."
                    raise ODataError(400, "0x8004f01f", said)
        external_messages.forget(table_id(table), self._store)
        for key in table.keys:
            self._store.release_key(table.name, key)
        self._store.forget_table(table.name)
        self._store.remove("entity", table_id(table))
        for privilege in privileges_of(table).values():
            self._store.remove("privilege", privilege.id)
        self._solutions.forget(table_id(table))
        self._store.database.execute("DELETE FROM tables WHERE name = ?", (table.name,))
        self._schema.forget(table.name)


def _check_deletable(table: Table, column: Column) -> None:
    if column.name == table.name_column:
        said = "The Primary UI Attribute is not valid for deletion"
        raise ODataError(400, "0x80047002", said)  # CannotDeletePrimaryUIAttribute
    if not column.definition.get("IsCustomAttribute"):
        said = f"The 'Delete' operation on the current component(name='{column.name}') failed: it is a system column."
        raise ODataError(400, "0x8004f032", said)  # CannotDeleteMetadata
    if any(column.name in key for key in table.keys):
        raise ODataError(
            400, "0x8004f01f", f"The column {column.name} of {table.name} cannot be deleted: an alternate key uses it."
        )
