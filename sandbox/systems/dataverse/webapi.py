"""The Web API under /api/data/v9.x/: one place where a request becomes an operation and its outcome an answer."""

import uuid

from aiohttp import web
from multidict import CIMultiDict, MultiDict

from sandbox.systems.dataverse import elsewhere, functions, option_values, solutions
from sandbox.systems.dataverse.actions import CLOSING, Actions
from sandbox.systems.dataverse.addressing import Segment, path_address
from sandbox.systems.dataverse.answers import json_answer
from sandbox.systems.dataverse.batch import Batches
from sandbox.systems.dataverse.bypass import bypassed_logic, bypassed_steps
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.change import RequestInfo
from sandbox.systems.dataverse.context import Contexts
from sandbox.systems.dataverse.csdl import csdl, service_document
from sandbox.systems.dataverse.custom_apis import CustomApis
from sandbox.systems.dataverse.definitions import NAMESPACE
from sandbox.systems.dataverse.environment import Client, Environment
from sandbox.systems.dataverse.errors import (
    ODataError,
    bad_request,
    no_such_segment,
    not_allowed,
    not_simulated,
    privilege_denied,
)
from sandbox.systems.dataverse.external_events import ExternalEvents
from sandbox.systems.dataverse.form import check_form
from sandbox.systems.dataverse.limits import ServiceProtection
from sandbox.systems.dataverse.merge import MERGE, Merge
from sandbox.systems.dataverse.metadata import COLLECTIONS, Metadata
from sandbox.systems.dataverse.operation import Operation
from sandbox.systems.dataverse.organization_service import OrganizationService
from sandbox.systems.dataverse.privileges import ACT_FOR_ANOTHER
from sandbox.systems.dataverse.query import Preferences, Query
from sandbox.systems.dataverse.relations import target_of
from sandbox.systems.dataverse.rows import Rows
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Store
from sandbox.systems.dataverse.tokens import Tokens
from sandbox.systems.dataverse.unit_of_work import Unit, UnitOfWork
from sandbox.systems.dataverse.virtual_provider import Provider
from sandbox.systems.dataverse.virtual_tables import VirtualTables

_ACTIONS = frozenset(
    {"CreateEntities", MERGE, *CLOSING, *functions.ACTIONS, *solutions.ACTIONS, *option_values.ACTIONS}
)


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
        work: UnitOfWork,
        contexts: Contexts,
        provider: Provider,
    ) -> None:
        self._store, self._schema = store, schema
        self._tokens, self._metadata, self._work = tokens, metadata, work
        self._access = service.access
        self._custom_apis = CustomApis(store, schema, service, contexts)
        self._solutions = solutions.Solutions(store, schema)
        self._functions = functions.Functions(store, schema, environment, self._solutions, service.roles)
        self._actions, self._rows = Actions(store, schema, service, contexts), Rows(store, schema, service)
        self._merge = Merge(store, schema, service)
        self._virtual = VirtualTables(store, schema, service.access, provider)
        self._external = ExternalEvents(store, schema, service, contexts)
        self.protection = ServiceProtection()

    def routes(self, app: web.Application) -> None:
        """Add the route of the Web API, and one that refuses everything else under /api."""
        app.router.add_route("*", r"/api/data/{version:v9\.\d}/{path:[\s\S]*}", self._handle)
        app.router.add_route("*", r"/api/{path:[\s\S]*}", _elsewhere)

    async def _handle(self, request: web.Request) -> web.Response:
        call = await Call.read(request)
        try:
            client = self._access.member(self._tokens.client(request))
            with self.protection.counted(client.user_id) as remaining:
                response = await self._respond(call, client)
            response.headers.update(remaining)
        except ODataError as refused:
            response = refused.response(annotated=bool(Preferences.read(call.headers).annotations))
        response.headers["OData-Version"] = "4.0"
        response.headers["x-ms-service-request-id"] = response.headers["REQ_ID"] = str(uuid.uuid4())
        return response

    async def _respond(self, call: Call, client: Client) -> web.Response:
        if call.path != "$batch":
            info = self._request_info(call, client)
            if (virtual := self._virtual.find(call)) is not None:
                check_form(call)
                return await self._virtual.answer(call, *virtual, info.user)
            return await self._work.run(lambda unit: self._answer(call, info, unit))
        if call.method != "POST":
            raise not_allowed(call.method)
        check_form(call)
        _check_no_options(call)
        return await Batches(lambda part: self._request_info(part, client), self._answer, self._work.run).answer(call)

    def _request_info(self, call: Call, client: Client) -> RequestInfo:
        headers = call.headers
        user, delegate = client, None
        if "CallerObjectId" in headers or "MSCRMCallerID" in headers:
            self._access.check_named(client, ACT_FOR_ANOTHER)
            user, delegate = self._impersonated(headers), client.user_id
        return RequestInfo(
            user=user,
            on_behalf_by=delegate,
            tag=call.query.get("tag"),
            solution=headers.get("MSCRM.SolutionUniqueName"),
            bypassed_steps=bypassed_steps(headers),
            bypassed_logic=bypassed_logic(headers),
        )

    def _impersonated(self, headers: CIMultiDict[str]) -> Client:
        column = "azureactivedirectoryobjectid" if "CallerObjectId" in headers else "systemuserid"
        wanted = str(headers.get("CallerObjectId") or headers.get("MSCRMCallerID", "")).lower()
        user = self._store.find("systemuser", {column: wanted})
        if user is None:
            raise privilege_denied(f"The user with {column} {wanted} does not exist or cannot be impersonated.")
        return Client("", "", user.id, user.values.get("azureactivedirectoryobjectid") or "")

    def _answer(self, call: Call, info: RequestInfo, unit: Unit) -> web.Response:
        operation = Operation(call, info, unit)
        check_form(call)
        self._check_solution(info.solution)
        if call.path in {"", "$metadata"}:
            return self._described(call)
        segment = Segment.parse(call.path)
        if segment.name in elsewhere.SEGMENTS:
            raise not_simulated(segment.name)
        if segment.name in COLLECTIONS:
            self._check_definitions(call, info)
            return self._metadata.answer(call, segment, info.solution)
        if segment.name in _ACTIONS or segment.name in self._functions.names:
            return self._unbound(operation, segment)
        table = self._schema.by_set(segment.name)
        custom = self._custom_apis.find(segment.name) if table is None else None
        if custom is not None and segment.key is None and segment.rest is None:
            _check_no_options(call)
            return self._custom_apis.call(operation, custom)
        if table is None:
            raise no_such_segment(segment.name)
        return self._on_table(operation, table, segment)

    def _on_table(self, operation: Operation, table: Table, segment: Segment) -> web.Response:
        """An entity set, a row of it, or a custom API that is bound to its rows."""
        call = operation.call
        bound = (segment.rest or "").removeprefix(NAMESPACE)
        if segment.key is not None and bound != segment.rest and (api := self._custom_apis.find(bound, table.name)):
            _check_no_options(call)
            return self._custom_apis.call(operation, api, path_address(table, segment.key).require(self._store))
        if table.is_virtual:
            return self._external.answer(operation, table, segment)
        self._check_expanded(Query.read(_options(call)), table, operation.info)
        if segment.key is None:
            return self._rows.on_set(operation, table, segment.rest)
        return self._rows.on_row(operation, path_address(table, segment.key), segment.rest)

    def _check_definitions(self, call: Call, info: RequestInfo) -> None:
        """403 for a user who may not read definitions; changing them takes a role that may do everything."""
        kind = "Read" if call.method == "GET" else "Write"
        if kind == "Read" or not self._access.is_administrator(info.user):
            self._access.check_named(info.user, f"prv{kind}Entity")

    def _check_expanded(self, query: Query, table: Table, info: RequestInfo) -> None:
        """403 where the user may not read what a query expands."""
        for name, nested in query.expand.items():
            if (other := target_of(self._schema, table, name)) is not None:
                self._access.check(info.user, "Read", other)
                self._check_expanded(nested, other, info)

    def _unbound(self, operation: Operation, segment: Segment) -> web.Response:
        call = operation.call
        is_function = segment.name in self._functions.names
        if segment.rest is not None or (segment.key and not is_function):
            raise no_such_segment(call.path)
        if segment.name == "CreateEntities":
            solution = call.query.get("SolutionUniqueName")
            self._check_solution(solution)
            return self._metadata.create_tables(call, solution or operation.info.solution)
        _check_no_options(call)
        if is_function:
            return self._functions.answer(operation, segment)
        if call.method != "POST":
            raise not_allowed(call.method)
        return self._action(operation, segment.name)

    def _action(self, operation: Operation, name: str) -> web.Response:
        if name in functions.ACTIONS:
            return self._functions.publish(operation, name)
        if name in solutions.ACTIONS:
            return self._solutions.act(operation, name)
        if name == MERGE:
            return self._merge.answer(operation)
        if name in option_values.ACTIONS:
            return self._metadata.option_value(operation.call, name)
        return self._actions.close_opportunity(operation, name)

    def _described(self, call: Call) -> web.Response:
        if call.method != "GET":
            raise not_allowed(call.method)
        _check_no_options(call)
        return csdl(self._schema) if call.path else json_answer(service_document(call.root, self._schema))

    def _check_solution(self, name: str | None) -> None:
        """A component goes into the named solution, which must exist; without the header, into the default solution."""
        if name is not None:
            self._solutions.require(name)


async def _elsewhere(request: web.Request) -> web.Response:
    """Search, older versions of the Web API and its other siblings."""
    return not_simulated(f"The API at {request.path}").response()


def _check_no_options(call: Call) -> None:
    """400 for a query option where none means anything."""
    allowed = {"tag", "solutionuniquename"}
    refused = [name for name in call.query if name.lower() not in allowed and not name.startswith("@")]
    if refused:
        raise bad_request(f"The query parameter {refused[0]} is not supported")


def _options(call: Call) -> MultiDict[str]:
    """The query options; `$id` is one only where a reference is deleted, and two others where an entity set is read."""
    options = call.query.copy()
    if call.method == "GET" and call.path.isidentifier():
        options.popall("fetchXml", None)
        options.popall("$apply", None)
    if call.method == "DELETE" and call.path.endswith("/$ref"):
        options.popall("$id", None)
    return options
