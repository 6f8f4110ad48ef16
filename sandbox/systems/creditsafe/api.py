"""The HTTP surface of Creditsafe Connect, v1: signing in, looking for a company, its credit report."""

import sqlite3

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.systems.creditsafe.admission import Admission
from sandbox.systems.creditsafe.companies import Bureau
from sandbox.systems.creditsafe.errors import ConnectError, answer_for, error_for
from sandbox.systems.http_server import stand_in

_KNOWN = {"countries", "regNo", "exact", "page", "pageSize", "name", "safeNo", "status"}


def build_app(database: sqlite3.Connection, *, username: str, password: str) -> web.Application:
    """Routes over an open database."""
    admission, routes = Admission(database, username=username, password=password), Routes(Bureau(database))
    app = stand_in(error_body=error_for)
    app.middlewares.append(_admit(admission))
    app.router.add_post("/v1/authenticate", admission.authenticate)
    app.router.add_get("/v1/companies", routes.search)
    app.router.add_get("/v1/companies/{id}", routes.report)
    app.router.add_get("/control/charges", routes.charges)
    app.router.add_post("/control/expire-tokens", admission.expire)
    app.router.add_put("/control/companies/{country}/{number}", routes.set_companies)
    app.router.add_post("/control/setup", routes.setup)
    return app


def _admit(admission: Admission) -> Middleware:
    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Wants a token for all but signing in, and answers errors in Creditsafe's words."""
        try:
            if request.path.startswith("/v1/companies"):
                admission.check(request)
            return await handler(request)
        except ConnectError as error:
            return answer_for(error)

    return admit


class Routes:
    """The routes behind the token, and the controls."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau

    async def search(self, request: web.Request) -> web.Response:
        """GET /v1/companies."""
        unknown = request.query.keys() - _KNOWN
        if unknown:
            raise ConnectError(400, f"Parameters not supported: {', '.join(sorted(unknown))}")
        if not request.query.get("countries") or not request.query.get("regNo"):
            raise ConnectError(400, "countries and another criterion are required.")
        found = self._bureau.find(request.query["countries"], request.query["regNo"])
        return web.json_response({"totalSize": len(found), "companies": found})

    async def report(self, request: web.Request) -> web.Response:
        """GET /v1/companies/{id}."""
        return web.json_response(self._bureau.report(request.match_info["id"]))

    async def charges(self, _: web.Request) -> web.Response:
        """GET /control/charges: every report that was charged."""
        charged = self._bureau.charges()
        return web.json_response({"count": len(charged), "charges": charged})

    async def set_companies(self, request: web.Request) -> web.Response:
        """PUT /control/companies/{country}/{number}: a list of what differs from a usual company, for each there."""
        self._bureau.set(request.match_info["country"], request.match_info["number"], await request.json())
        return web.Response(status=204)

    async def setup(self, request: web.Request) -> web.Response:
        """POST /control/setup: `subscribed`, and `countries_left_out` of the contract."""
        given = await request.json()
        self._bureau.subscribed = given.get("subscribed", self._bureau.subscribed)
        self._bureau.countries_left_out = set(given.get("countries_left_out", self._bureau.countries_left_out))
        return web.Response(status=204)
