"""The ERP's HTTP surface."""

import sqlite3
from typing import Any

from aiohttp import web

from sandbox.systems.erp.books import Books
from sandbox.systems.http_server import problem, stand_in
from sandbox.systems.rest import Admission, Answer, Idempotency


def build_app(database: sqlite3.Connection, *, api_key: str, client_id: str, client_secret: str) -> web.Application:
    """Routes of the ERP over an open database."""
    admission = Admission(database, api_key=api_key, client_id=client_id, client_secret=client_secret)
    idempotency, books = Idempotency(database), Books(database)

    def writes(method: str) -> Any:
        async def handler(request: web.Request) -> web.Response:
            kind, row_id = request.match_info["kind"], request.match_info["id"].lower()

            def work(body: dict[str, Any], key: str) -> Answer:
                if method == "PATCH":
                    return books.patch(kind, row_id, body, key)
                return books.put(kind, row_id, body, key, force=request.query.get("force") == "true")

            return await idempotency.answer(request, work)

        return handler

    async def read(request: web.Request) -> web.Response:
        found = books.get(request.match_info["kind"], request.match_info["id"].lower())
        return problem(404, "not-found", "The ERP has no such resource.") if found is None else web.json_response(found)

    async def ledger(_: web.Request) -> web.Response:
        return web.json_response({"effects": books.effects()})

    app = stand_in()
    app.middlewares.append(admission.middleware())
    app.router.add_post("/oauth/token", admission.tokens.give)
    app.router.add_put("/api/{kind:customers|orders}/{id}", writes("PUT"))
    app.router.add_patch("/api/{kind:customers|orders}/{id}", writes("PATCH"))
    app.router.add_get("/api/{kind:customers|orders}/{id}", read)
    app.router.add_get("/control/ledger", ledger)
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    return app
