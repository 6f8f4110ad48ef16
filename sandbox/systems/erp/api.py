"""The ERP's HTTP surface."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.systems.erp.books import Books
from sandbox.systems.erp.events import Events
from sandbox.systems.erp.people import CHANGED, People
from sandbox.systems.http_server import problem, stand_in
from sandbox.systems.rest import Admission, Answer, Idempotency

_LONGEST = 1_000
"""Rows of one list."""


def build_app(
    database: sqlite3.Connection, *, api_key: str, client_id: str, client_secret: str, events: Events
) -> web.Application:
    """Routes of the ERP over an open database; it sends `events`."""
    admission = Admission(database, api_key=api_key, client_id=client_id, client_secret=client_secret)
    idempotency, books = Idempotency(database), Books(database)

    def writes(method: str) -> Any:
        async def handler(request: web.Request) -> web.Response:
            kind, row_id = request.match_info["kind"], request.match_info["id"].lower()

            def work(body: dict[str, Any], key: str) -> Answer:
                if method == "PATCH":
                    return books.patch(kind, row_id, body, key)
                return books.put(kind, row_id, body, key, force=request.query.get("force") == "true")

            answer = await idempotency.answer(request, work)
            if events.of_writes and answer.status < 300:
                events.report(CHANGED[kind], row_id)
            return answer

        return handler

    async def read(request: web.Request) -> web.Response:
        return _found(books.get(request.match_info["kind"], request.match_info["id"].lower()))

    async def listed(request: web.Request) -> web.Response:
        return _listed(books, request.match_info["kind"], request.query)

    async def report(request: web.Request) -> web.Response:
        return _found(books.report(request.match_info["kind"], request.match_info["id"].lower()))

    async def match(request: web.Request) -> web.Response:
        return web.json_response(books.match(request.match_info["id"].lower(), dict(request.query)))

    app = stand_in()
    app.middlewares.append(admission.middleware())
    app.router.add_post("/oauth/token", admission.tokens.give)
    app.router.add_put("/api/{kind:customers|orders}/{id}", writes("PUT"))
    app.router.add_patch("/api/{kind:customers|orders}/{id}", writes("PATCH"))
    app.router.add_get("/api/{kind:customers|orders}", listed)
    app.router.add_get("/api/{kind:customers|orders}/{id}", read)
    app.router.add_get("/api/{kind:customers|orders}/{id}/report", report)
    app.router.add_get("/api/customers/{id}/match", match)
    People(books, events).add_routes(app)
    app.router.add_get("/control/ledger", _ledger_of(books))
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    return app


def _listed(books: Books, kind: str, query: Mapping[str, str]) -> web.Response:
    if not all(query.get(name, "0").isdigit() for name in ("skip", "top")):
        return problem(400, "value-invalid", "skip and top are whole numbers.")
    top = min(int(query.get("top", _LONGEST)), _LONGEST)
    return web.json_response(books.listed(kind, int(query.get("skip", "0")), top, query.get("id", "").lower()))


def _ledger_of(books: Books) -> Handler:
    async def ledger(_: web.Request) -> web.Response:
        return web.json_response({"effects": books.effects()})

    return ledger


def _found(content: dict[str, Any] | None) -> web.Response:
    return problem(404, "not-found", "The ERP has no such resource.") if content is None else web.json_response(content)
