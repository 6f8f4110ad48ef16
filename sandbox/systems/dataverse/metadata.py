"""EntityDefinitions: read tables, columns and keys; add columns and keys, which stay."""

import json
import re
import uuid
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse.addressing import Segment
from sandbox.systems.dataverse.body import read_object
from sandbox.systems.dataverse.errors import ODataError, bad_request, no_such_property
from sandbox.systems.dataverse.json_text import dumps
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Store

_LOGICAL_NAME = re.compile(r"LogicalName='(\w+)'")
_ADDED = "CREATE TABLE IF NOT EXISTS definitions (seq INTEGER PRIMARY KEY, tbl TEXT, kind TEXT, definition TEXT);"
_ADDABLE = frozenset({"String", "Memo", "Integer", "Decimal", "Money", "Boolean", "DateTime", "Picklist"})
_DEFINITION_ONLY = ("DisplayName", "Description", "@odata.type", "AttributeTypeName", "FormatName")


class Metadata:
    """The definitions in force; what was added is applied again when the process starts."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema = store, schema
        store.database.executescript(_ADDED)
        for added in store.database.execute("SELECT * FROM definitions ORDER BY seq").fetchall():
            self._apply(schema[added["tbl"]], added["kind"], json.loads(added["definition"]))
        for table in schema:
            for key in table.keys:
                store.enforce_key(table.name, key)

    async def answer(self, request: web.Request, segment: Segment) -> web.Response:
        """Requests under EntityDefinitions."""
        if segment.key is None:
            return _json({"value": [self._table(table) for table in self._schema]})
        table = self._find(segment.key)
        collection = Segment.parse(segment.rest) if segment.rest else None
        if request.method == "GET":
            return self._read(request, table, collection)
        if request.method == "POST" and collection is not None and collection.name in {"Attributes", "Keys"}:
            return await self._add(request, table, collection.name)
        raise ODataError(405, "0x8006088b", f"{request.method} is not supported for this definition.")

    def _find(self, key: str) -> Table:
        found = _LOGICAL_NAME.fullmatch(key)
        table = self._schema.get(found[1]) if found else None
        if table is None:
            raise ODataError(404, "0x80060888", f"Could not find an entity with specified key: {key}")
        return table

    def _read(self, request: web.Request, table: Table, collection: Segment | None) -> web.Response:
        if collection is None:
            shown = self._table(table)
            selected = request.query.get("$select", "")
            names = [name.strip() for name in selected.split(",") if name.strip()]
            unknown = [name for name in names if name not in shown]
            if unknown:
                raise no_such_property(unknown[0], "EntityMetadata")
            return _json({name: shown[name] for name in ["MetadataId", *names]} if names else shown)
        if collection.name == "Keys":
            return _json({"value": [_key(key) for key in table.keys]})
        if collection.key is None:
            return _json({"value": [_attribute(column) for column in table.columns.values()]})
        found = _LOGICAL_NAME.fullmatch(collection.key)
        if found is None or found[1] not in table.columns:
            raise ODataError(404, "0x80060888", f"Could not find an attribute with specified key: {collection.key}")
        return _json(_attribute(table.columns[found[1]]))

    async def _add(self, request: web.Request, table: Table, kind: str) -> web.Response:
        body = await read_object(request)
        definition = _column_definition(table, body) if kind == "Attributes" else _key_definition(table, body)
        self._apply(table, kind, definition)
        self._store.database.execute(
            "INSERT INTO definitions (tbl, kind, definition) VALUES (?, ?, ?)",
            (table.name, kind, json.dumps(definition)),
        )
        if kind == "Keys":
            self._store.enforce_key(table.name, tuple(definition["KeyAttributes"]))
        uri = f"{request.url.with_query(None)}({uuid.uuid4()})"
        return web.Response(status=204, headers={"OData-EntityId": uri})

    def _apply(self, table: Table, kind: str, definition: dict[str, Any]) -> None:
        if kind == "Attributes":
            column = Column.load(definition)
            table.columns[column.name] = column
            table.index()
        else:
            table.keys.append(tuple(definition["KeyAttributes"]))

    def _table(self, table: Table) -> dict[str, Any]:
        return {"MetadataId": _metadata_id(table.name)} | table.definition


def _column_definition(table: Table, body: dict[str, Any]) -> dict[str, Any]:
    name, kind = str(body.get("SchemaName", "")), body.get("AttributeType")
    if kind not in _ADDABLE or "_" not in name:
        raise bad_request(
            f"Column '{name}' of type '{kind}' cannot be added: a publisher prefix and a type are needed."
        )
    if name.lower() in table.columns:
        raise ODataError(
            400, "0x80044153", f"An attribute with the specified name {name} already exists for entity {table.name}"
        )
    kept = {key: value for key, value in body.items() if key not in _DEFINITION_ONLY}
    if "OptionSet" in body:
        if not isinstance(body["OptionSet"], dict):
            raise bad_request("OptionSet is not an object.", "0x80048d19")
        options = body["OptionSet"].get("Options", [])
        kept["OptionSet"] = {"Options": [{"Value": each["Value"], "Label": _label(each)} for each in options]}
    return kept | {"LogicalName": name.lower(), "DisplayName": _label(body, "DisplayName"), "IsCustomAttribute": True}


def _key_definition(table: Table, body: dict[str, Any]) -> dict[str, Any]:
    columns = body.get("KeyAttributes") or []
    unknown = [name for name in columns if name not in table.columns]
    if not columns or unknown:
        raise bad_request(f"An alternate key of {table.name} needs columns that exist; not there: {unknown}")
    if tuple(columns) in table.keys:
        raise ODataError(400, "0x80060890", f"An alternate key on {','.join(columns)} exists for entity {table.name}")
    return {"SchemaName": body.get("SchemaName"), "KeyAttributes": columns}


def _label(holder: dict[str, Any], name: str = "Label") -> str:
    labels = holder.get(name, {}).get("LocalizedLabels", [])
    return str(labels[0]["Label"]) if labels else ""


def _attribute(column: Column) -> dict[str, Any]:
    return {"MetadataId": _metadata_id(column.name)} | column.definition


def _key(columns: tuple[str, ...]) -> dict[str, Any]:
    return {"MetadataId": _metadata_id(",".join(columns)), "KeyAttributes": columns, "EntityKeyIndexStatus": "Active"}


def _metadata_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def _json(value: dict[str, Any]) -> web.Response:
    return web.Response(text=dumps(value), content_type="application/json")
