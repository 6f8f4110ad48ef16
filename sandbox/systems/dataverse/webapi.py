"""The Web API under /api/data/v9.x/: one place where a request becomes a call and its outcome an answer."""

import re
import uuid
from typing import Any

from aiohttp import web

from sandbox.systems.dataverse import elsewhere
from sandbox.systems.dataverse.actions import CLOSING, Actions
from sandbox.systems.dataverse.addressing import Address, Segment, address, reference
from sandbox.systems.dataverse.body import read_columns, read_object
from sandbox.systems.dataverse.change import RequestInfo
from sandbox.systems.dataverse.collection import Collections
from sandbox.systems.dataverse.csdl import csdl, service_document
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.environment import Client, Environment
from sandbox.systems.dataverse.errors import (
    ODataError,
    already_exists,
    bad_request,
    no_such_segment,
    not_allowed,
    not_simulated,
    privilege_denied,
    version_mismatch,
)
from sandbox.systems.dataverse.json_text import dumps
from sandbox.systems.dataverse.limits import ServiceProtection
from sandbox.systems.dataverse.metadata import COLLECTIONS, Metadata
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.query import Preferences, Query
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store, Values
from sandbox.systems.dataverse.tokens import Tokens

_ETAG = re.compile(r'(?:W/)?"(\d+)"')
_UNBOUND = frozenset({"WhoAmI", "CreateEntities", *CLOSING})
_ON_ROWS = frozenset({"$select", "$expand"})


class WebApi:
    """Routes of the Web API."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        environment: Environment,
        *,
        service: OrganizationService,
        tokens: Tokens,
        metadata: Metadata,
    ) -> None:
        self._store, self._schema, self._environment = store, schema, environment
        self._service, self._tokens, self._metadata = service, tokens, metadata
        self._actions = Actions(store, schema, service)
        self.protection = ServiceProtection()
        self._representation = Representation(store, schema)
        self._collections = Collections(store, schema, self._representation)

    def routes(self, app: web.Application) -> None:
        """Add the route of the Web API, and one that refuses everything else under /api."""
        app.router.add_route("*", r"/api/data/{version:v9\.\d}/{path:.*}", self._handle)
        app.router.add_route("*", "/api/{path:.*}", _elsewhere)

    async def _handle(self, request: web.Request) -> web.Response:
        annotated = bool(Preferences.read(request).annotations)
        try:
            client = self._tokens.client(request)
            with self.protection.counted(client.user_id) as remaining:
                response = await self._dispatch(request, self._request_info(request, client))
            response.headers.update(remaining)
        except ODataError as refused:
            response = refused.response(annotated=annotated)
        response.headers["OData-Version"] = "4.0"
        response.headers["x-ms-service-request-id"] = response.headers["REQ_ID"] = str(uuid.uuid4())
        return response

    def _request_info(self, request: web.Request, client: Client) -> RequestInfo:
        headers = request.headers
        user, delegate = client, None
        if "CallerObjectId" in headers or "MSCRMCallerID" in headers:
            user, delegate = self._impersonated(headers), client.user_id
        return RequestInfo(
            user=user,
            on_behalf_by=delegate,
            tag=request.query.get("tag"),
            bypassed_steps=_listed(headers.get("MSCRM.BypassBusinessLogicExecutionStepIds", "").lower()),
            bypassed_logic=_listed(headers.get("MSCRM.BypassBusinessLogicExecution", "")),
        )

    def _impersonated(self, headers: Any) -> Client:
        column = "azureactivedirectoryobjectid" if "CallerObjectId" in headers else "systemuserid"
        wanted = (headers.get("CallerObjectId") or headers.get("MSCRMCallerID", "")).lower()
        user = self._store.find("systemuser", {column: wanted})
        if user is None:
            raise privilege_denied(f"The user with {column} {wanted} does not exist or cannot be impersonated.")
        return Client("", "", user.id, user.values.get("azureactivedirectoryobjectid") or "")

    async def _dispatch(self, request: web.Request, info: RequestInfo) -> web.Response:
        path = request.match_info["path"]
        self._check_solution(request.headers.get("MSCRM.SolutionUniqueName"))
        if path in {"", "$metadata"}:
            return self._described(request, path)
        segment = Segment.parse(path)
        if segment.name in elsewhere.SEGMENTS:
            raise not_simulated(segment.name)
        if segment.name in COLLECTIONS:
            return await self._metadata.answer(request, segment)
        if segment.name in _UNBOUND:
            return await self._unbound(request, info, segment)
        table = self._schema.by_set(segment.name)
        if table is None:
            raise no_such_segment(segment.name)
        Query.read(request.query)
        if segment.key is None:
            return await self._on_set(request, info, table, segment.rest)
        return await self._on_row(request, info, address(table, segment.key), segment.rest)

    async def _unbound(self, request: web.Request, info: RequestInfo, segment: Segment) -> web.Response:
        if segment.rest is not None or segment.key:
            raise no_such_segment(request.match_info["path"])
        if segment.name == "CreateEntities":
            self._check_solution(request.query.get("SolutionUniqueName"))
            return await self._metadata.create_tables(request)
        if request.method != ("GET" if segment.name == "WhoAmI" else "POST"):
            raise not_allowed(request.method)
        if segment.name == "WhoAmI":
            return self._who_am_i(request, info)
        return await self._actions.close_opportunity(request, info, segment.name)

    def _described(self, request: web.Request, path: str) -> web.Response:
        if request.method != "GET":
            raise not_allowed(request.method)
        return csdl(self._schema) if path else _json(service_document(_root(request), self._schema))

    def _check_solution(self, name: str | None) -> None:
        """A component goes into the named solution, which must exist; without the header, into the default solution."""
        if name is not None and self._store.find("solution", {"uniquename": name}) is None:
            said = f"The solution with the unique name '{name}' does not exist."
            raise ODataError(404, "0x80040217", said)

    def _who_am_i(self, request: web.Request, info: RequestInfo) -> web.Response:
        return _json(
            {
                "@odata.context": f"{_root(request)}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse",
                "BusinessUnitId": self._environment.business_unit_id,
                "UserId": info.user.user_id,
                "OrganizationId": self._environment.organisation_id,
            }
        )

    async def _on_set(self, request: web.Request, info: RequestInfo, table: Table, rest: str | None) -> web.Response:
        preferences = Preferences.read(request)
        if rest is not None and rest != "$count":
            raise _no_such_part(rest)
        if request.method == "GET" and rest == "$count":
            return web.Response(text=str(self._collections.count(table, request)))
        if request.method == "GET" and rest is None:
            page = _json(self._collections.page(table, request, preferences))
            return preferences.applied(page, tracked=True)
        if request.method == "POST" and rest is None:
            body = await read_object(request)
            sent = read_columns(table, body, self._schema, self._store)
            row = await self._service.create(table, sent, info)
            return self._written(request, table, row, preferences, created=True)
        raise not_allowed(request.method)

    async def _on_row(self, request: web.Request, info: RequestInfo, at: Address, rest: str | None) -> web.Response:
        if rest:
            return await self._on_property(request, info, at, rest)
        refused = [name for name in request.query if name.startswith("$") and name not in _ON_ROWS]
        if refused:
            raise bad_request(f"The query option {refused[0]} can be applied only to collections of rows.")
        if request.method == "GET":
            return self._read(request, at)
        if request.method == "PATCH":
            return await self._upsert(request, info, at)
        if request.method == "DELETE":
            row = at.require(self._store)
            async with self._service.lock(at.table, row.id):
                await self._service.delete(at.table, row.id, info, version=_version(request, at.table))
            return web.Response(status=204)
        raise not_allowed(request.method)

    def _read(self, request: web.Request, at: Address) -> web.Response:
        preferences, query, row = Preferences.read(request), Query.read(request.query), at.require(self._store)
        plain = not query.expand and not preferences.annotations
        if plain and at.table.optimistic_concurrency and request.headers.get("If-None-Match") == row.etag:
            return web.Response(status=304)
        shown = {"@odata.context": _entity_context(request, at.table, query)}
        answer = _json(shown | self._representation.row(at.table, row, query, preferences), etag=row.etag)
        return preferences.applied(answer)

    async def _upsert(self, request: web.Request, info: RequestInfo, at: Address) -> web.Response:
        """PATCH creates what is not there, unless If-Match forbids it; If-None-Match: * forbids the update."""
        table, preferences = at.table, Preferences.read(request)
        body = await read_object(request)
        found = at.find(self._store)
        row_id = found.id if found else at.row_id or str(uuid.uuid4())
        async with self._service.lock(table, row_id):
            row = self._store.get(table.name, row_id)
            if row is None and "If-Match" in request.headers:
                at.require(self._store)
            if row is not None and request.headers.get("If-None-Match") == "*":
                raise already_exists()
            version = _version(request, table)
            if row is not None and version is not None and version != row.version:
                raise version_mismatch()
            sent = read_columns(table, body, self._schema, self._store)
            if row is None:
                written = await self._service.create(table, sent | at.key | {table.id_column: row_id}, info)
            else:
                written = await self._service.update(table, row, sent, info)
        return self._written(request, table, written, preferences, created=row is None)

    async def _on_property(self, request: web.Request, info: RequestInfo, at: Address, name: str) -> web.Response:
        """GET a column or the row behind a lookup; PUT or DELETE one column or the reference of a lookup."""
        table, row = at.table, at.require(self._store)
        name, _, part = name.partition("/")
        if name in table.by_navigation and part in {"", "$ref"}:
            if request.method == "GET":
                return self._follow(request, table, row, name, only_reference=bool(part))
            if part:
                return await self._refer(request, info, at, name)
            raise not_allowed(request.method)
        if part or name not in table.columns or table.columns[name].is_lookup:
            raise _no_such_part(f"{name}/{part}" if part else name)
        if request.method == "GET":
            value = self._representation.row(table, row, Query(select=(name,)), Preferences())[name]
            context = f"{_root(request)}$metadata#{table.set_name}({row.id})/{name}"
            return web.Response(status=204) if value is None else _json({"@odata.context": context, "value": value})
        if request.method not in {"PUT", "DELETE"}:
            raise not_allowed(request.method)
        value = (await read_object(request)).get("value") if request.method == "PUT" else None
        return await self._change(request, info, at, read_columns(table, {name: value}, self._schema, self._store))

    async def _refer(self, request: web.Request, info: RequestInfo, at: Address, name: str) -> web.Response:
        """PUT {"@odata.id": uri} or DELETE `<navigation property>/$ref`."""
        if request.method not in {"PUT", "DELETE"}:
            raise not_allowed(request.method)
        column, target = at.table.by_navigation[name]
        uri = (await read_object(request)).get("@odata.id") if request.method == "PUT" else None
        referred = reference(target, uri, self._schema, self._store) if request.method == "PUT" else None
        return await self._change(request, info, at, {column.name: referred})

    async def _change(self, request: web.Request, info: RequestInfo, at: Address, sent: Values) -> web.Response:
        version = _version(request, at.table)
        async with self._service.lock(at.table, at.require(self._store).id):
            row = at.require(self._store)
            if version not in {None, row.version}:
                raise version_mismatch()
            await self._service.update(at.table, row, sent, info)
        return web.Response(status=204)

    def _follow(
        self, request: web.Request, table: Table, row: Row, navigation: str, *, only_reference: bool
    ) -> web.Response:
        column, target = table.by_navigation[navigation]
        lookup = row.values.get(column.name)
        if lookup is None or (target is not None and lookup["table"] != target):
            return web.Response(status=204)
        other = self._schema[lookup["table"]]
        if only_reference:
            context = f"{_root(request)}$metadata#$ref"
            return _json({"@odata.context": context, "@odata.id": f"{_root(request)}{other.set_name}({lookup['id']})"})
        return self._read(request, Address(other, lookup["id"], {}))

    def _written(
        self, request: web.Request, table: Table, row: Row, preferences: Preferences, *, created: bool
    ) -> web.Response:
        uri = f"{_root(request)}{table.set_name}({row.id})"
        if not preferences.representation:
            return web.Response(status=204, headers={"OData-EntityId": uri})
        query = Query.read(request.query)
        shown = {"@odata.context": _entity_context(request, table, query)}
        shown |= self._representation.row(table, row, query, preferences)
        response = _json(shown, status=201 if created else 200, etag=row.etag)
        if created:
            response.headers["OData-EntityId"] = response.headers["Location"] = uri
        return preferences.applied(response, written=True)


async def _elsewhere(request: web.Request) -> web.Response:
    """Search, older versions of the Web API and its other siblings."""
    return not_simulated(f"The API at {request.path}").response()


def _version(request: web.Request, table: Table) -> int | None:
    """The version in If-Match; None without one or for `*`."""
    wanted = request.headers.get("If-Match", "*")
    if wanted == "*":
        return None
    found = _ETAG.fullmatch(wanted)
    if found is None:
        raise bad_request(f"The If-Match header '{wanted}' is not an ETag.")
    if not table.optimistic_concurrency:
        raise ODataError(
            400,
            "0x80060883",
            f"Optimistic concurrency isn't enabled for entity type {table.name}. The IfVersionMatches value of "
            "ConcurrencyBehavior can only be used if optimistic concurrency is enabled.",
        )
    return int(found[1])


def _json(value: dict[str, Any], *, status: int = 200, etag: str | None = None) -> web.Response:
    headers = {"Content-Type": "application/json; odata.metadata=minimal"}
    if etag is not None:
        headers["ETag"] = etag
    return web.Response(body=dumps(value).encode(), status=status, headers=headers)


def _root(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}/api/data/{request.match_info['version']}/"


def _entity_context(request: web.Request, table: Table, query: Query) -> str:
    selected = f"({','.join(query.select)})" if query.select else ""
    return f"{_root(request)}$metadata#{table.set_name}{selected}/$entity"


def _no_such_part(rest: str) -> ODataError:
    """A bound action or function, a navigation property, or a column that does not exist."""
    name = rest.partition("(")[0]
    if name.removeprefix(NAMESPACE) in elsewhere.BOUND or rest.endswith("/$ref"):
        return not_simulated(rest)
    return no_such_segment(name)


def _listed(header: str) -> frozenset[str]:
    return frozenset(part.strip() for part in header.split(",") if part.strip())
