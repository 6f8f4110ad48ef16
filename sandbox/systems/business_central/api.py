"""The HTTP surface of API v2.0, and what people do in the application itself (control routes)."""

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.systems.business_central.admission import Admission, Limits
from sandbox.systems.business_central.company import Company, Setup, order_by_number, order_of
from sandbox.systems.business_central.errors import BusinessCentralError, answer_for, bad_request, error_for
from sandbox.systems.business_central.fields import KINDS
from sandbox.systems.business_central.subscriptions import Subscriptions
from sandbox.systems.http_server import stand_in
from sandbox.systems.odata import Fields, FilterError, MixedOrError, UnknownFieldError, matching, ordered, page

COMPANY_ID = "5d3d7d7a-3f3c-4f0f-9a52-0e5a3f5a0001"
COMPANY_NAME = "CRONUS International Ltd."
_ROOT = "/v2.0/{environment}/api/v2.0"
_WITH_TENANT = "/v2.0/{tenant}/{environment}/api/v2.0"
_LONGEST_PAGE = 20_000
_ON_ROWS = frozenset({"$select", "$expand"})
_ON_LISTS = _ON_ROWS | {"$filter", "$orderby", "$top", "$skip", "$count", "$skiptoken"}
_KIND = "{kind:customers|items|salesOrders|salesOrderLines|salesInvoices|salesShipments|countriesRegions}"


def build_app(database: sqlite3.Connection, *, client_id: str, client_secret: str) -> web.Application:
    """Routes over an open database."""
    admission, limits = Admission(database, client_id=client_id, client_secret=client_secret), Limits()
    api = _Api(database, Company(database, Setup()))

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if request.path.startswith("/v2.0/"):
                admission.check(request)
                limits.check()
                _check_company(request)
            return await handler(request)
        except BusinessCentralError as error:
            return answer_for(error)

    async def set_limits(request: web.Request) -> web.Response:
        limits.requests = int((await request.json())["requests"])
        return web.Response(status=204)

    app = stand_in(error_body=error_for)
    app.middlewares.append(admit)
    app.router.add_post("/{tenant}/oauth2/v2.0/token", admission.tokens.give)
    for root in (_ROOT, _WITH_TENANT):
        api.add_routes(app, root)
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    app.router.add_post("/control/limits", set_limits)
    api.add_controls(app)
    return app


class _Api:
    """The routes of one company."""

    def __init__(self, database: sqlite3.Connection, company: Company) -> None:
        self._database = database
        self._company = company
        self._subscriptions = Subscriptions(database, COMPANY_ID)

    def add_routes(self, app: web.Application, root: str) -> None:
        """Below one root address."""
        of_company = f"{root}/companies({{company}})"
        order = f"{of_company}/salesOrders({{id}})"
        self._subscriptions.add_routes(app, root)
        app.router.add_get(f"{root}/companies", _companies)
        app.router.add_get(f"{of_company}/{_KIND}", self._list)
        app.router.add_get(f"{of_company}/{_KIND}({{id}})", self._get)
        app.router.add_post(f"{of_company}/{_KIND}", self._create)
        app.router.add_patch(f"{of_company}/{_KIND}({{id}})", self._update)
        app.router.add_delete(f"{of_company}/{_KIND}({{id}})", self._delete)
        app.router.add_get(f"{order}/salesOrderLines", self._lines)
        app.router.add_post(f"{order}/salesOrderLines", self._create_line)
        app.router.add_post(f"{order}/Microsoft.NAV.shipAndInvoice", self._post)

    def add_controls(self, app: web.Application) -> None:
        """What people do (`/control/orders/{number}/release` and the like), `/control/setup`, and the books."""
        company = self._company
        acts: dict[str, Callable[[str], None]] = {
            "release": company.release,
            "reopen": company.reopen,
            "post": company.post,
            "delete": lambda order_id: company.delete_order(order_id, "*"),
        }

        async def act(request: web.Request) -> web.Response:
            order_id = order_by_number(company, request.match_info["number"])
            self._atomically(lambda: acts[request.match_info["act"]](order_id))
            return web.Response(status=204)

        async def change(request: web.Request) -> web.Response:
            content = await request.json()
            kind, row_id = request.match_info["kind"], request.match_info["id"]
            return web.json_response(self._atomically(lambda: company.rows.update(kind, row_id, content, if_match="*")))

        async def enter(request: web.Request) -> web.Response:
            body = await request.json()
            created = self._atomically(lambda: company.create_customer(body))
            return web.json_response({"customerNumber": created["number"], "id": created["id"]})

        async def setup(request: web.Request) -> web.Response:
            company.setup.manual_numbers = bool((await request.json())["manual_numbers"])
            return web.Response(status=204)

        async def books(_: web.Request) -> web.Response:
            return web.json_response({"effects": company.rows.effects()})

        async def ship(request: web.Request) -> web.Response:
            order = order_of(company, request.match_info["id"])
            self._atomically(lambda: company.post(order["id"]))
            return web.json_response({"record": order["id"], "orderNumber": order["number"], "status": "invoiced"})

        self._subscriptions.add_controls(app)
        app.router.add_post("/control/orders/{id}/shipped", ship)
        app.router.add_post("/control/orders/{number}/{act:release|reopen|post|delete}", act)
        app.router.add_patch(f"/control/{_KIND}/{{id}}", change)
        app.router.add_post("/control/customers", enter)
        app.router.add_post("/control/setup", setup)
        app.router.add_get("/control/ledger", books)

    async def _list(self, request: web.Request) -> web.Response:
        kind, query = request.match_info["kind"], request.query
        _check_options(request, _ON_LISTS)
        rows = self._company.countries() if kind == "countriesRegions" else self._company.rows.all(kind)
        if kind == "salesOrderLines" and not any(it in query.get("$filter", "") for it in ("documentId", "id eq")):
            raise bad_request("You must specify an Id or a Document Id to get the lines.", "BadRequest")
        if "$filter" in query:
            test = _test(query["$filter"], kind)
            rows = [row for row in rows if test(row)]
        try:
            rows = ordered(rows, query.get("$orderby", ""), KINDS[kind].names)
            expanded = [self._expanded(kind, row, request) for row in rows]
            body = page(expanded, query, _prefer(request), str(request.url), most=_LONGEST_PAGE)
        except FilterError as wrong:
            raise bad_request(str(wrong)) from wrong
        return web.json_response(body)

    async def _get(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        _check_options(request, _ON_ROWS)
        return web.json_response(
            self._expanded(kind, self._company.rows.get(kind, request.match_info["id"].lower()), request)
        )

    async def _lines(self, request: web.Request) -> web.Response:
        order_id = request.match_info["id"].lower()
        _check_options(request, frozenset())
        self._company.rows.get("salesOrders", order_id)
        return web.json_response({"value": self._company.lines(order_id)})

    async def _create(self, request: web.Request) -> web.Response:
        kind, body = request.match_info["kind"], await _body(request)
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "customers": lambda: self._company.create_customer(body),
            "salesOrders": lambda: self._company.create_order(body),
            "salesOrderLines": lambda: self._company.create_line(str(body.get("documentId", "")).lower(), body),
        }
        if kind not in makers:
            raise bad_request("The entity does not allow insert.", "BadRequest_MethodNotAllowed")
        return web.json_response(self._atomically(makers[kind]), status=201)

    async def _create_line(self, request: web.Request) -> web.Response:
        order_id, body = request.match_info["id"].lower(), await _body(request)
        return web.json_response(self._atomically(lambda: self._company.create_line(order_id, body)), status=201)

    async def _update(self, request: web.Request) -> web.Response:
        kind, row_id, body = request.match_info["kind"], request.match_info["id"].lower(), await _body(request)
        if_match = request.headers.get("If-Match")
        change = {
            "customers": self._company.update_customer,
            "salesOrders": self._company.update_order,
            "salesOrderLines": self._company.update_line,
        }.get(kind)
        if change is None:
            raise bad_request("The entity does not allow modify.", "BadRequest_MethodNotAllowed")
        return web.json_response(self._atomically(lambda: change(row_id, body, if_match)))

    async def _delete(self, request: web.Request) -> web.Response:
        kind, row_id, if_match = request.match_info["kind"], request.match_info["id"].lower(), _if_match(request)
        if kind == "salesOrders":
            self._atomically(lambda: self._company.delete_order(row_id, if_match))
        else:
            self._atomically(lambda: self._company.rows.delete(kind, row_id, if_match=if_match))
        return web.Response(status=204)

    async def _post(self, request: web.Request) -> web.Response:
        self._atomically(lambda: self._company.post(request.match_info["id"].lower()))
        return web.Response(status=204)

    def _expanded(self, kind: str, row: dict[str, Any], request: web.Request) -> dict[str, Any]:
        if kind == "salesOrders" and "salesOrderLines" in request.query.get("$expand", ""):
            return row | {"salesOrderLines": self._company.lines(row["id"])}
        return row

    def _atomically(self, work: Callable[[], Any]) -> Any:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._database.execute("COMMIT")
            self._subscriptions.report(self._company.rows.taken_changes())
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
                self._company.rows.taken_changes()
        return result


def _check_options(request: web.Request, allowed: frozenset[str]) -> None:
    """Refuse options that are not simulated, as a method that is not there is refused, and mistakes in the others."""
    query = request.query
    unknown = sorted(name for name in query if name.startswith("$") and name not in allowed)
    if unknown:
        said = f"The query option {unknown[0]} is not simulated by the sandbox's Business Central."
        raise BusinessCentralError(501, "BadRequest_MethodNotImplemented", said)
    kind = request.match_info.get("kind", "")
    names = KINDS[kind].names if kind in KINDS else frozenset()
    wrong = [name for name in _names(query.get("$select", "")) if name not in names]
    expandable = {"salesOrderLines"} if kind == "salesOrders" else set()
    wrong += [name for name in _names(query.get("$expand", "")) if name not in expandable]
    if wrong:
        raise bad_request(f"Could not find a property named '{wrong[0]}'.", "BadRequest_NotFound")


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _test(expression: str, kind: str) -> Callable[[Any], bool]:
    """The test for `$filter`; `or` between different fields is not supported there."""
    try:
        return matching(expression, Fields(KINDS[kind].names))
    except MixedOrError as wrong:
        raise bad_request(str(wrong), "BadRequest_MethodNotImplemented") from wrong
    except UnknownFieldError as wrong:
        raise bad_request(str(wrong), "BadRequest_NotFound") from wrong
    except FilterError as wrong:
        raise bad_request(str(wrong)) from wrong


async def _companies(_: web.Request) -> web.Response:
    company = {"id": COMPANY_ID, "name": COMPANY_NAME, "displayName": COMPANY_NAME}
    return web.json_response({"value": [company]})


async def _body(request: web.Request) -> dict[str, Any]:
    if request.headers.get("Data-Access-Intent") == "ReadOnly":
        raise bad_request("A write is not allowed with the data access intent ReadOnly.")
    try:
        body = json.loads(await request.text())
    except ValueError as wrong:
        raise bad_request("The body is not JSON.") from wrong
    if not isinstance(body, dict):
        raise bad_request("The body is not an object.")
    return body


def _check_company(request: web.Request) -> None:
    company = request.match_info.get("company")
    if company is not None and company.lower() != COMPANY_ID:
        raise BusinessCentralError(404, "Internal_CompanyNotFound", "The company cannot be found.")


def _if_match(request: web.Request) -> str | None:
    return request.headers.get("If-Match")


def _prefer(request: web.Request) -> str:
    return request.headers.get("Prefer", "")
