"""The credit bureau's HTTP surface."""

import sqlite3

from aiohttp import web

from sandbox.systems.credit.bureau import Bureau
from sandbox.systems.http_server import stand_in
from sandbox.systems.rest import Admission, Idempotency


def build_app(database: sqlite3.Connection, *, api_key: str, client_id: str, client_secret: str) -> web.Application:
    """Routes of the bureau over an open database."""
    admission = Admission(database, api_key=api_key, client_id=client_id, client_secret=client_secret)
    idempotency, bureau = Idempotency(database), Bureau(database)

    async def score(request: web.Request) -> web.Response:
        return await idempotency.answer(request, bureau.score)

    async def charges(_: web.Request) -> web.Response:
        charged = bureau.charges()
        return web.json_response({"count": len(charged), "charges": charged})

    app = stand_in()
    app.middlewares.append(admission.middleware())
    app.router.add_post("/oauth/token", admission.tokens.give)
    app.router.add_post("/api/scores", score)
    app.router.add_get("/control/charges", charges)
    app.router.add_post("/control/expire-tokens", admission.tokens.expire)
    return app
