"""The common parts of the HTTP stand-ins: faults on request, a log of requests, health, an orderly stop.

Control routes (never hit by faults, never logged):

    GET    /control/health      200 when the stand-in answers
    POST   /control/faults      add one fault (fields: see `Fault`)
    GET    /control/faults      those that are still armed
    DELETE /control/faults      remove all
    GET    /control/requests    recent requests, oldest first, without secrets
    DELETE /control/requests    forget them
"""

import asyncio
import errno
import logging
import re
import socket
import ssl
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.machine.signals import call_on_stop

log = logging.getLogger("sandbox.systems.http_server")

REMEMBERED_REQUESTS = 5_000
SPARED_HEADER = "X-Sandbox-Spare"
"""A request with this header gets no fault: a person who works in Dataverse while it fails for the app sends it."""
SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-functions-key", "cookie"})
PORT_TAKEN = 2
LONGEST_ADDRESS = 32_768
"""Bytes of a request's first line; Dataverse takes addresses of 32 KB, which queries in FetchXML can need."""
_ORDERED = "A fault that was asked for; run.py heal ends it."


@dataclass
class Fault:
    """One fault, armed by `POST /control/faults`.

    `match` is `<METHOD> <regular expression found in path and query>`, the method may be `*`. `times` counts down
    (null: until deleted). `status` null only delays. `drop` closes the connection without an answer. `after` does the
    work first and fails or delays the answer. `body` replaces the error body that the stand-in would give. `gateway`
    answers in place of the stand-in with a web page and `status` (302 redirects to `/sorry`), as a gateway does while
    the system behind it is unavailable.
    """

    match: str
    status: int | None = None
    times: int | None = 1
    headers: dict[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    drop: bool = False
    after: bool = False
    body: str | None = None
    gateway: bool = False

    def hits(self, method: str, path: str) -> bool:
        """Whether a request is meant."""
        wanted, _, pattern = self.match.partition(" ")
        return wanted in {"*", method} and re.search(pattern, path) is not None


ErrorBody = Callable[[Fault], web.Response]


def problem(status: int, slug: str, detail: str, *, headers: dict[str, str] | None = None) -> web.Response:
    """An RFC 9457 problem; `slug` becomes the last part of its type."""
    body = {
        "type": f"https://problems.sandbox.example/{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


def problem_for(fault: Fault) -> web.Response:
    """The answer of a fault, for a stand-in without an error format of its own."""
    status = fault.status or HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, HTTPStatus(status).name.lower().replace("_", "-"), _ORDERED)


def page_for(fault: Fault) -> web.Response:
    """The answer of a gateway or web server that cannot reach the system: a page, whatever the caller accepts."""
    status = fault.status or HTTPStatus.BAD_GATEWAY
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    headers = {"Location": "/sorry"} if 300 <= status < 400 else None
    return web.Response(text=page, status=status, headers=headers, content_type="text/html")


class Faults:
    """The armed faults, in the order they were added; the first that matches is used."""

    def __init__(self, error_body: ErrorBody) -> None:
        self._armed: list[Fault] = []
        self._error_body = error_body

    def middleware(self) -> Middleware:
        """Applies the first matching fault to a request."""

        @web.middleware
        async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
            spared = _is_control(request) or SPARED_HEADER in request.headers
            fault = None if spared else self._take(request)
            if fault is None:
                return await handler(request)
            done = await handler(request) if fault.after else None
            if fault.delay_ms:
                await asyncio.sleep(fault.delay_ms / 1000)
            if fault.drop:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
            if fault.status is None:
                return await handler(request) if done is None else done
            response = page_for(fault) if fault.gateway else self._error_body(fault)
            if fault.body is not None:
                response.text = fault.body
            response.headers.update(fault.headers)
            return response

        return apply

    def _take(self, request: web.Request) -> Fault | None:
        path = unquote(request.path_qs)
        fault = next((each for each in self._armed if each.hits(request.method, path)), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._armed.remove(fault)
        return fault

    async def add(self, request: web.Request) -> web.Response:
        """POST /control/faults."""
        try:
            fault = Fault(**await request.json())
            re.compile(fault.match.partition(" ")[2])
        except (ValueError, TypeError, re.error) as wrong:
            return problem(400, "bad-fault", str(wrong))
        if fault.times is None or fault.times > 0:
            self._armed.append(fault)
        return web.json_response(asdict(fault), status=201)

    async def list(self, _: web.Request) -> web.Response:
        """GET /control/faults."""
        return web.json_response([asdict(fault) for fault in self._armed])

    async def clear(self, _: web.Request) -> web.Response:
        """DELETE /control/faults."""
        self._armed.clear()
        return web.Response(status=204)


class RequestLog:
    """The last requests, without secrets."""

    def __init__(self) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_REQUESTS)

    def middleware(self) -> Middleware:
        """Records each request when it comes, and its status when it is answered."""

        @web.middleware
        async def remember(request: web.Request, handler: Handler) -> web.StreamResponse:
            if _is_control(request):
                return await handler(request)
            entry: dict[str, Any] = {
                "at": datetime.now(UTC).isoformat(),
                "method": request.method,
                "path": request.path_qs,
                "status": None,
                "headers": {k: v for k, v in request.headers.items() if k.lower() not in SECRET_HEADERS},
            }
            self._requests.append(entry)
            try:
                response = await handler(request)
            except web.HTTPException as answer:
                entry["status"] = answer.status
                raise
            entry["status"] = response.status
            return response

        return remember

    async def list(self, _: web.Request) -> web.Response:
        """GET /control/requests."""
        return web.json_response(list(self._requests))

    async def clear(self, _: web.Request) -> web.Response:
        """DELETE /control/requests."""
        self._requests.clear()
        return web.Response(status=204)


def stand_in(*, error_body: ErrorBody = problem_for) -> web.Application:
    """An application with the control routes above; a stand-in adds its own routes."""
    faults, requests = Faults(error_body), RequestLog()
    app = web.Application(middlewares=[requests.middleware(), faults.middleware()], client_max_size=16 * 1024**2)
    app.router.add_get("/control/health", _health)
    app.router.add_post("/control/faults", faults.add)
    app.router.add_get("/control/faults", faults.list)
    app.router.add_delete("/control/faults", faults.clear)
    app.router.add_get("/control/requests", requests.list)
    app.router.add_delete("/control/requests", requests.clear)
    return app


def serve(app: web.Application, *, port: int, tls: ssl.SSLContext | None = None) -> int:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; gives the exit code (2: the port is taken)."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    return asyncio.run(_serve(app, port, tls))


async def _serve(app: web.Application, port: int, tls: ssl.SSLContext | None) -> int:
    stop = asyncio.Event()
    call_on_stop(stop.set)
    address = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        address.bind(("127.0.0.1", port))
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        log.error("Port %d on 127.0.0.1 is taken by another process: stop it or choose another --port.", port)  # noqa: TRY400 -- the message says it all
        return PORT_TAKEN
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=1.0, max_line_size=LONGEST_ADDRESS, auto_decompress=False
    )
    await runner.setup()
    try:
        await web.SockSite(runner, address, ssl_context=tls).start()
        log.info("listening on %s://127.0.0.1:%d", "https" if tls else "http", port)
        await stop.wait()
    finally:
        await runner.cleanup()
    return 0


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})


def _is_control(request: web.Request) -> bool:
    return request.path.startswith("/control/")
