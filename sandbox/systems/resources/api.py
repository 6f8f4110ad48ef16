"""The HTTP surface of all such systems: `/<system>/api/<path>`, as the client of the REST contract calls them."""

import sqlite3
from collections.abc import Mapping

from aiohttp import web

from sandbox.systems.http_server import problem, stand_in
from sandbox.systems.resources.shelves import Kinds, Shelves
from sandbox.systems.rest import Admission, Answer, Idempotency


def build_app(
    database: sqlite3.Connection, answers: Mapping[str, Kinds], *, api_key: str, client_id: str, client_secret: str
) -> web.Application:
    """Routes over an open database; `answers` has each system by name, with the kinds of what it answers."""
    admission = Admission(database, api_key=api_key, client_id=client_id, client_secret=client_secret)
    idempotency, shelves = Idempotency(database), Shelves(database, answers)

    def where(request: web.Request) -> tuple[str, str]:
        return request.match_info["system"], request.match_info["path"]

    async def put(request: web.Request) -> web.Response:
        force = request.query.get("force") == "true"

        def work(body: dict[str, object], key: str) -> Answer:
            return shelves.put(*where(request), body, key, force=force)

        return await idempotency.answer(request, work)

    async def post(request: web.Request) -> web.Response:
        return await idempotency.answer(request, lambda body, key: shelves.post(*where(request), body, key))

    async def get(request: web.Request) -> web.Response:
        return _found(shelves.get(*where(request)))

    async def delete(request: web.Request) -> web.Response:
        return web.Response(status=204) if shelves.delete(*where(request)) else _found(None)

    async def ledger(request: web.Request) -> web.Response:
        return web.json_response({"effects": shelves.effects(request.query.get("system"))})

    app = stand_in()
    app.middlewares.append(admission.middleware())
    app.router.add_post("/oauth/token", admission.tokens.give)
    path = f"/{{system:{'|'.join(answers) or '-'}}}/api/{{path:.+}}"
    app.router.add_put(path, put)
    app.router.add_post(path, post)
    app.router.add_get(path, get)
    app.router.add_delete(path, delete)
    app.router.add_get("/control/ledger", ledger)
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    return app


def _found(content: dict[str, object] | None) -> web.Response:
    return problem(404, "not-found", "There is no such resource.") if content is None else web.json_response(content)
