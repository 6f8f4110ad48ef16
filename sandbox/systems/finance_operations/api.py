"""The HTTP surface: data entities, `$batch`, tokens, and what people do in the application itself (control routes)."""

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.systems.finance_operations.admission import Admission, Throttle
from sandbox.systems.finance_operations.batch import Done, answer_of, failed, parts_of
from sandbox.systems.finance_operations.business_events import BusinessEvents
from sandbox.systems.finance_operations.company import COMPANIES, Company, Setup
from sandbox.systems.finance_operations.errors import (
    FinanceOperationsError,
    answer_for,
    bad_query,
    error_for,
    not_there,
    refused,
)
from sandbox.systems.finance_operations.fields import ENTITIES
from sandbox.systems.http_server import stand_in
from sandbox.systems.odata import FilterError, matching, ordered, page

_LONGEST_PAGE = 10_000
_OPTIONS = {"$filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$skiptoken", "cross-company"}
_ADDRESS = re.compile(r"/data/(?P<kind>\w+)(?:\((?P<key>.*)\))?(?:\?(?P<query>.*))?")
_KEY = re.compile(r"dataAreaId='(?P<company>[^']*)',(?P<name>\w+)='(?P<value>(?:[^']|'')*)'")


def build_app(
    database: sqlite3.Connection, events: BusinessEvents, *, client_id: str, client_secret: str
) -> web.Application:
    """Routes over an open database; what people do to orders is reported as `events`."""
    admission, throttle = Admission(database, client_id=client_id, client_secret=client_secret), Throttle()
    entities = _Entities(database, Company(database, Setup()), events)

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith("/data/"):
                admission.check(request)
                throttle.check()
            return await handler(request)
        except FinanceOperationsError as error:
            return answer_for(error)

    app = stand_in(error_body=error_for)
    app.middlewares.append(admit)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", admission.give)
    app.router.add_post("/data/$batch", entities.batch)
    app.router.add_route("*", "/data/{entity:.*}", entities.serve)
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    app.router.add_post("/control/throttle", throttle.set)
    entities.add_controls(app)
    return app


class _Entities:
    """The data entities of all companies."""

    def __init__(self, database: sqlite3.Connection, company: Company, events: BusinessEvents) -> None:
        self._database = database
        self._company = company
        self._events = events

    def add_controls(self, app: web.Application) -> None:
        """What people do (`/control/orders/{number}/confirm` and the like), `/control/setup`, and the books."""
        company = self._company

        async def act(request: web.Request) -> web.Response:
            number, what = request.match_info["number"], request.match_info["act"]
            self._atomically(lambda: company.advance(_company_of(request), number, what))
            self._events.report(what, _company_of(request), number)
            return web.Response(status=204)

        async def ship(request: web.Request) -> web.Response:
            reference, at = request.match_info["id"].replace("-", "").upper(), _company_of(request)
            number = next((it["SalesOrderNumber"] for it in company.orders_of(reference, at)), None)
            if number is None:
                raise not_there()
            self._atomically(lambda: company.advance(at, number, "deliver"))
            self._events.report("deliver", at, number)
            return web.json_response({"record": number, "orderNumber": number, "status": "shipped"})

        async def enter(request: web.Request) -> web.Response:
            body = await request.json()
            created = self._atomically(lambda: company.create_customer(_company_of(request), body))
            return web.json_response({"customerNumber": created["CustomerAccount"]})

        async def remove(request: web.Request) -> web.Response:
            kind, key = request.match_info["kind"], request.match_info["key"]
            self._atomically(lambda: company.rows.delete(kind, _company_of(request), key, if_match=None))
            return web.Response(status=204)

        async def setup(request: web.Request) -> web.Response:
            for name, value in (await request.json()).items():
                setattr(company.setup, name, value)
            return web.Response(status=204)

        async def books(_: web.Request) -> web.Response:
            return web.json_response({"effects": company.rows.effects()})

        app.router.add_post("/control/orders/{id}/shipped", ship)
        app.router.add_post("/control/orders/{number}/{act:confirm|deliver|invoice|cancel|reopen|purge}", act)
        app.router.add_patch("/control/{kind:CustomersV3|SalesOrderHeadersV2|SalesOrderLines}/{key}", self._change)
        app.router.add_delete("/control/{kind:CustomersV3|SalesOrderHeadersV2|SalesOrderLines}/{key}", remove)
        app.router.add_post("/control/customers", enter)
        app.router.add_post("/control/endpoint", self._send_events_to)
        app.router.add_post("/control/setup", setup)
        app.router.add_get("/control/ledger", books)

    async def _change(self, request: web.Request) -> web.Response:
        """Change a row; a change of a customer is reported."""
        kind, company, key = request.match_info["kind"], _company_of(request), request.match_info["key"]
        content = await request.json()
        self._atomically(lambda: self._company.rows.update(kind, company, key, content, if_match=None))
        if kind == "CustomersV3":
            self._events.report_customer(company, key)
        return web.Response(status=204)

    async def _send_events_to(self, request: web.Request) -> web.Response:
        """POST /control/endpoint `{"endpoint": "service-bus"}`: business events go there from now on."""
        endpoint = str((await request.json())["endpoint"])
        if endpoint not in self._events.endpoints:
            raise web.HTTPNotFound(text=f"There is no endpoint {endpoint}.")
        self._events.activate(endpoint, _company_of(request))
        return web.Response(status=204)

    async def serve(self, request: web.Request) -> web.Response:
        """One request to one entity set or row."""
        target = _Target.of(request.raw_path)
        if request.method == "GET":
            return web.json_response(self._read(target, request))
        body = await _body(request) if request.method in {"POST", "PATCH"} else {}
        if_match = request.headers.get("If-Match")
        done = self._atomically(lambda: self._write(request.method, target, body, if_match))
        return web.Response(status=204) if done is None else web.json_response(done, status=201)

    async def batch(self, request: web.Request) -> web.Response:
        """One change set: all of it or nothing; the answer is 200 either way."""
        parts = parts_of(request.headers.get("Content-Type", ""), await request.text())
        done: list[Done] = []
        number = ""

        def work() -> None:
            nonlocal number
            for part in parts:
                number = part.number
                target = _Target.of(part.path)
                row = self._write(part.method, target, part.body, part.headers.get("if-match"))
                done.append(Done(part.number, 204 if row is None else 201, row))

        try:
            self._atomically(work)
        except FinanceOperationsError as error:
            done = [failed(number, error)]
        kind, text = answer_of(done)
        return web.Response(body=text.encode(), headers={"Content-Type": kind})

    def _read(self, target: "_Target", request: web.Request) -> dict[str, Any]:
        entity, query = ENTITIES[target.kind], target.query
        if target.key is not None:
            row = self._company.rows.get(target.kind, *target.row())
            return self._expanded(target.kind, row, query)
        if not entity.key:
            rows = self._company.shared(target.kind)
        else:
            rows = self._company.rows.all(target.kind, None if target.everywhere else COMPANIES[0])
        try:
            if "$filter" in query:
                test = matching(query["$filter"], entity.fields, mixed_or=True)
                rows = [row for row in rows if test(row)]
            rows = ordered(rows, query.get("$orderby", ""), entity.fields.names)
            expanded = [self._expanded(target.kind, row, query) for row in rows]
            return page(expanded, query, request.headers.get("Prefer", ""), str(request.url), most=_LONGEST_PAGE)
        except FilterError as wrong:
            raise bad_query(str(wrong)) from wrong

    def _write(self, method: str, target: "_Target", body: dict[str, Any], tag: str | None) -> dict[str, Any] | None:
        company = self._company
        if method == "POST" and target.key is None:
            area = str(body.get("dataAreaId") or COMPANIES[0]).lower()
            if area not in COMPANIES or (area != COMPANIES[0] and not target.everywhere):
                raise refused(ENTITIES[target.kind].name, f"Error: Company {area} does not exist or is not accessible.")
            makers = {
                "CustomersV3": company.create_customer,
                "SalesOrderHeadersV2": company.create_order,
                "SalesOrderLines": company.create_line,
            }
            if target.kind in makers:
                return makers[target.kind](area, body)
        changers: dict[str, Callable[..., None]] = {
            "CustomersV3": company.update_customer,
            "SalesOrderHeadersV2": company.update_order,
            "SalesOrderLines": company.update_line,
        }
        if method == "PATCH" and target.key is not None and target.kind in changers:
            changers[target.kind](*target.row(), body, tag)
        elif method == "DELETE" and target.key is not None and target.kind == "SalesOrderHeadersV2":
            company.delete_order(*target.row(), tag)
        else:
            raise FinanceOperationsError(405, None, "The requested resource does not support this http method.")
        return None

    def _expanded(self, kind: str, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        wanted = query.get("$expand")
        if wanted is None:
            return row
        if kind != "SalesOrderHeadersV2" or wanted != "SalesOrderLines":
            raise bad_query(f"Could not find a property named '{wanted}'.")
        return row | {wanted: self._company.lines(row["dataAreaId"], row["SalesOrderNumber"])}

    def _atomically(self, work: Callable[[], Any]) -> Any:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        return result


class _Target:
    """What a request is for: an entity set or a row of it, and its query options."""

    def __init__(self, kind: str, key: str | None, query: dict[str, str]) -> None:
        self.kind, self.key, self.query = kind, key, query

    @classmethod
    def of(cls, path: str) -> "_Target":
        """From path and query; 404 for what is no entity set, 400 for an option that is not there."""
        address, _, query = path.partition("?")
        found = _ADDRESS.fullmatch(unquote(address))
        if found is None or found["kind"] not in ENTITIES:
            raise FinanceOperationsError(
                404, None, f"No HTTP resource was found that matches the request URI '{path}'."
            )
        options = dict(parse_qsl(query, keep_blank_values=True))
        unknown = sorted(options.keys() - _OPTIONS)
        if unknown:
            raise bad_query(f"The query option '{unknown[0]}' is not supported.")
        return cls(found["kind"], found["key"], options)

    @property
    def everywhere(self) -> bool:
        """Whether all companies are meant, not only the user's own."""
        return self.query.get("cross-company", "").lower() == "true"

    def row(self) -> tuple[str, str]:
        """The company and the key of a row; 404 for one of another company without `cross-company`."""
        found = _KEY.fullmatch(self.key or "")
        if found is None or found["name"] != ENTITIES[self.kind].key:
            raise bad_query("The key does not name all of its fields.")
        if found["company"].lower() != COMPANIES[0] and not self.everywhere:
            raise not_there()
        return found["company"].lower(), found["value"].replace("''", "'")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text())
    except ValueError as wrong:
        raise bad_query("The body is not JSON.") from wrong
    if not isinstance(body, dict):
        raise bad_query("The body is not an object.")
    return body


def _company_of(request: web.Request) -> str:
    """Of a control route: the query option `company`, or the default company."""
    return request.query.get("company", COMPANIES[0])
