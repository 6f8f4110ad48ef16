"""Entity sets and rows: GET, POST, PATCH and DELETE, single columns, and lookups by `$ref`."""

import re
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse import elsewhere, roles
from sandbox.systems.dataverse.addressing import Address, Segment, reference
from sandbox.systems.dataverse.answers import json_answer, value_answer
from sandbox.systems.dataverse.apply import Apply
from sandbox.systems.dataverse.body import read_columns, read_object
from sandbox.systems.dataverse.bulk import MESSAGES, Bulk
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.collection import Collections
from sandbox.systems.dataverse.deep_insert import DeepInsert
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.errors import (
    ODataError,
    already_exists,
    bad_request,
    no_such_segment,
    not_allowed,
    not_simulated,
    version_mismatch,
)
from sandbox.systems.dataverse.expansion import Expansion
from sandbox.systems.dataverse.fetchxml import FetchXml
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.query import Preferences, Query
from sandbox.systems.dataverse.related_rows import RelatedRows
from sandbox.systems.dataverse.relations import collections
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store, Values

_ETAG = re.compile(r'(?:W/)?"(\d+)"')
_ON_ROWS = frozenset({"$select", "$expand"})
_ON_COUNTS = frozenset({"$filter", "$select", "$deltatoken"})


class Rows:
    """Answers for entity sets and their rows."""

    def __init__(self, store: Store, schema: Schema, service: OrganizationService) -> None:
        self._store, self._schema, self._service = store, schema, service
        self._representation = Representation(store, schema)
        self._collections = Collections(store, schema, self._representation)
        self._bulk, self._deep_insert = Bulk(store, schema, service), DeepInsert(store, schema, service)
        self._fetch_xml, self._apply = FetchXml(store, schema), Apply(store, schema)
        self._related = RelatedRows(store, schema, service, self._collections)

    def on_set(self, operation: Operation, table: Table, rest: str | None) -> web.Response:
        """`accounts` and `accounts/$count`."""
        call = operation.call
        if call.method == "GET":
            self._service.access.check(operation.info.user, "Read", table)
        message = (rest or "").removeprefix(NAMESPACE)
        if message in MESSAGES and message != rest and table.has_events:
            return self._bulk.answer(operation, table, message)
        if rest is not None and rest != "$count":
            raise _no_such_part(rest)
        if call.method == "GET" and rest == "$count":
            _check_options(call, _ON_COUNTS)
            return web.Response(text=str(self._collections.count(table, call)))
        if call.method == "GET" and "fetchXml" in call.query:
            found = self._fetch_xml.page(table, call, operation.info.user.user_id)
            return Preferences.read(call.headers).applied(json_answer(found))
        if call.method == "GET" and "$apply" in call.query:
            return Preferences.read(call.headers).applied(json_answer(self._apply.page(table, call)))
        if call.method == "GET":
            page = json_answer(self._collections.page(table, call))
            return Preferences.read(call.headers).applied(page, tracked=True)
        if call.method == "POST" and rest is None:
            _check_options(call, _ON_ROWS)
            row = self._deep_insert.create(operation, table, read_object(call))
            return self._written(call, table, row, created=True)
        raise not_allowed(call.method)

    def on_row(self, operation: Operation, at: Address, rest: str | None) -> web.Response:
        """`accounts(...)` and what is below it."""
        call = operation.call
        if call.method == "GET":
            self._service.access.check(operation.info.user, "Read", at.table)
        if rest:
            return self._below_row(operation, at, rest)
        _check_options(call, _ON_ROWS if call.method != "DELETE" else frozenset())
        if call.method == "GET":
            return self._read(call, at)
        if call.method == "PATCH":
            return self._upsert(operation, at)
        if call.method == "DELETE":
            version = _version(call, at.table)
            row = at.require(self._store)
            self._service.delete(operation.unit, at.table, row.id, operation.info, version=version)
            return web.Response(status=204)
        raise not_allowed(call.method)

    def _read(self, call: Call, at: Address) -> web.Response:
        preferences, query, row = Preferences.read(call.headers), Query.read(call.query), at.require(self._store)
        plain = not query.expand and not preferences.annotations
        if plain and at.table.optimistic_concurrency and call.headers.get("If-None-Match") == row.etag:
            return web.Response(status=304)
        answer = json_answer(self._shown(call, at.table, row, query), etag=row.etag)
        return preferences.applied(answer)

    def _shown(self, call: Call, table: Table, row: Row, query: Query) -> dict[str, Any]:
        """A row with its context and with what the query expands."""
        expansion = Expansion(self._store, self._schema, call, query)
        expansion.check(table, query)
        shown = {"@odata.context": f"{call.root}$metadata#{table.set_name}{query.shown}/$entity"}
        preferences = Preferences.read(call.headers)
        return shown | self._representation.row(table, row, query, preferences, expansion.related)

    def _upsert(self, operation: Operation, at: Address) -> web.Response:
        """PATCH creates what is not there, unless If-Match forbids it; If-None-Match: * forbids the update."""
        call, table, unit = operation.call, at.table, operation.unit
        row = at.find(self._store)
        if row is None and "If-Match" in call.headers:
            at.require(self._store)
        if row is not None and call.headers.get("If-None-Match") == "*":
            raise already_exists()
        version = _version(call, table)
        if row is not None and version not in {None, row.version}:
            raise version_mismatch()
        sent = read_columns(table, read_object(call), self._schema, self._store)
        if row is None:
            new = sent | at.key | {table.id_column: at.row_id or unit.new_id()}
            written = self._service.create(unit, table, new, operation.info)
        else:
            written = self._service.update(unit, table, row, sent, operation.info)
        return self._written(call, table, written, created=row is None)

    def _below_row(self, operation: Operation, at: Address, rest: str) -> web.Response:
        """A collection, one of its rows and what is below that, or a property."""
        part = Segment.parse(rest)
        if part.name in roles.COLLECTIONS.get(at.table.name, {}):
            return self._service.roles.related(operation, at.require(self._store), part, self._collections)
        action = part.name.removeprefix(NAMESPACE)
        if at.table.name == "role" and action in roles.ACTIONS and action != part.name:
            self._service.access.check(operation.info.user, "Write", at.table)
            return self._service.roles.act(operation, at.require(self._store), action)
        relationship = collections(self._schema, at.table).get(part.name)
        if relationship is None:
            return self._on_property(operation, at, rest)
        owner = at.require(self._store)
        if part.key is None or part.rest == "$ref":
            return self._related.answer(operation, owner, relationship, part)
        return self.on_row(operation, self._related.member(owner, relationship, part.key), part.rest)

    def _on_property(self, operation: Operation, at: Address, name: str) -> web.Response:
        """GET a column or the row behind a lookup; PUT or DELETE one column or the reference of a lookup."""
        call, table, row = operation.call, at.table, at.require(self._store)
        name, _, part = name.partition("/")
        if name in table.by_navigation and part not in {"", "$ref"}:
            return self._behind(operation, table, row, name, part)
        if name in table.by_navigation:
            _check_options(call, frozenset() if part else _ON_ROWS)
            if call.method == "GET":
                return self._follow(operation, table, row, name, only_reference=bool(part))
            if part:
                return self._refer(operation, at, name)
            raise not_allowed(call.method)
        if part not in {"", "$value"} or name not in table.columns or table.columns[name].is_lookup:
            raise _no_such_part(f"{name}/{part}" if part else name)
        return self._on_column(operation, at, row, name, part)

    def _on_column(self, operation: Operation, at: Address, row: Row, name: str, part: str) -> web.Response:
        """GET, PUT or DELETE one column; GET its `$value`."""
        call, table = operation.call, at.table
        _check_options(call, frozenset())
        if call.method == "GET":
            value = self._representation.row(table, row, Query(select=(name,)), Preferences())[name]
            if part or value is None:
                return value_answer(value)
            context = f"{call.root}$metadata#{table.set_name}({row.id})/{name}"
            return json_answer({"@odata.context": context, "value": value})
        if part or call.method not in {"PUT", "DELETE"}:
            raise not_allowed(call.method)
        value = _only_value(call) if call.method == "PUT" else None
        return self._change(operation, at, read_columns(table, {name: value}, self._schema, self._store))

    def _behind(self, operation: Operation, table: Table, row: Row, navigation: str, part: str) -> web.Response:
        """What is below the row behind a lookup."""
        column, target = table.by_navigation[navigation]
        lookup = row.values.get(column.name)
        if operation.call.method != "GET":
            raise not_allowed(operation.call.method)
        if lookup is None or (target is not None and lookup["table"] != target):
            raise no_such_segment(navigation)
        self._service.access.check(operation.info.user, "Read", self._schema[lookup["table"]])
        return self._below_row(operation, Address(self._schema[lookup["table"]], lookup["id"], {}), part)

    def _refer(self, operation: Operation, at: Address, name: str) -> web.Response:
        """PUT {"@odata.id": uri} or DELETE `<navigation property>/$ref`."""
        call = operation.call
        if call.method not in {"PUT", "DELETE"}:
            raise not_allowed(call.method)
        column, target = at.table.by_navigation[name]
        if call.method == "DELETE":
            cleared = {f"{name}@odata.bind": None}
            return self._change(operation, at, read_columns(at.table, cleared, self._schema, self._store))
        uri = read_object(call).get("@odata.id")
        return self._change(operation, at, {column.name: reference(target, uri, self._schema, self._store)})

    def _change(self, operation: Operation, at: Address, sent: Values) -> web.Response:
        version, row = _version(operation.call, at.table), at.require(self._store)
        if version not in {None, row.version}:
            raise version_mismatch()
        self._service.update(operation.unit, at.table, row, sent, operation.info)
        return web.Response(status=204)

    def _follow(
        self, operation: Operation, table: Table, row: Row, navigation: str, *, only_reference: bool
    ) -> web.Response:
        call, (column, target) = operation.call, table.by_navigation[navigation]
        lookup = row.values.get(column.name)
        if lookup is None or (target is not None and lookup["table"] != target):
            return web.Response(status=204)
        other = self._schema[lookup["table"]]
        if only_reference:
            context, uri = f"{call.root}$metadata#$ref", f"{call.root}{other.set_name}({lookup['id']})"
            return json_answer({"@odata.context": context, "@odata.id": uri})
        self._service.access.check(operation.info.user, "Read", other)
        return self._read(call, Address(other, lookup["id"], {}))

    def _written(self, call: Call, table: Table, row: Row, *, created: bool) -> web.Response:
        uri, preferences = f"{call.root}{table.set_name}({row.id})", Preferences.read(call.headers)
        if not preferences.representation:
            return web.Response(status=204, headers={"OData-EntityId": uri})
        query = Query.read(call.query)
        response = json_answer(self._shown(call, table, row, query), status=201 if created else 200, etag=row.etag)
        if created:
            response.headers["OData-EntityId"] = response.headers["Location"] = uri
        return preferences.applied(response, written=True)


def _check_options(call: Call, allowed: frozenset[str]) -> None:
    """400 for an option that means nothing where it stands."""
    refused = [name for name in call.query if name.startswith("$") and name not in allowed]
    if refused:
        raise bad_request(f"The query option {refused[0]} can be applied only to collections of rows.")


def _only_value(call: Call) -> Any:
    """The `value` of a body that has nothing else; 400 otherwise."""
    body = read_object(call)
    others = [name for name in body if name != "value" and "@" not in name]
    if others or "value" not in body:
        raise bad_request(f"A property is set with its 'value' alone; the body has {sorted(body)}.", "0x80048d19")
    return body["value"]


def _version(call: Call, table: Table) -> int | None:
    """The version in If-Match; None without one or for `*`."""
    wanted = call.headers.get("If-Match", "*")
    if wanted == "*":
        return None
    found = _ETAG.fullmatch(wanted)
    if found is None:
        raise bad_request(f"The If-Match header '{wanted}' is not an ETag.")
    if not table.optimistic_concurrency:
        raise ODataError(
            400,
            "0x8006088d",  # OptimisticConcurrencyNotEnabled
            f"Optimistic concurrency isn't enabled for entity type {table.name}. The IfVersionMatches value of "
            "ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
        )
    return int(found[1])


def _no_such_part(rest: str) -> ODataError:
    """An action or function that is bound to rows, a navigation property, or a column that there is not."""
    name = rest.partition("(")[0]
    if name.removeprefix(NAMESPACE) in elsewhere.BOUND or rest.endswith("/$ref"):
        return not_simulated(rest)
    return no_such_segment(name)
