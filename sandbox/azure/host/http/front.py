"""The HTTP front: routes, keys, limits, and how a request is passed to a function.

Sources: azure-functions-host FunctionInvocationMiddleware.cs, ExceptionMiddleware.cs, AuthenticationLevelHandler.cs;
webjobs-sdk-extensions HttpThrottleMiddleware.cs.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from sandbox.azure.host.encoding import http as encoding
from sandbox.azure.host.functions import Function
from sandbox.azure.host.host_json import HttpOptions
from sandbox.azure.host.http.keys import AccessKeys
from sandbox.azure.host.http.routes import RouteTable
from sandbox.azure.host.workers.dispatcher import Dispatcher
from sandbox.azure.host.workers.invocations import TraceContext

log = logging.getLogger(__name__)

DEFAULT_MAX_BODY = 104_857_600
"""Bytes; the app setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it."""

AdminHandler = Callable[[web.BaseRequest, str], Awaitable[web.Response]]

_BODYLESS = frozenset({204, 304})
_SET_BY_SERVER = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})


class HttpFront:
    """Answers requests for HTTP functions and hands `/admin/...` to `admin`; `/` leads to `homepage`, if any."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        routes: RouteTable,
        keys: AccessKeys,
        options: HttpOptions,
        admin: AdminHandler,
        *,
        max_body: int = DEFAULT_MAX_BODY,
        homepage: str | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._routes = routes
        self._keys = keys
        self._admin = admin
        self._max_body = max_body
        self._homepage = homepage
        self._outstanding = 0
        self._max_outstanding = options.max_outstanding_requests
        limit = options.max_concurrent_requests
        self._slots = asyncio.Semaphore(limit) if limit > 0 else None
        self._runner: web.ServerRunner | None = None

    async def start(self, port: int) -> None:
        """Listen on 127.0.0.1; a body comes to its function as it was sent, whatever its Content-Encoding."""
        server = web.Server(
            self._handle,
            request_factory=self._request,
            access_log=None,
            keepalive_timeout=130.0,
            auto_decompress=False,
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, backlog=512).start()

    async def stop_listening(self) -> None:
        """Take no new connections; requests that run go on."""
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()

    async def close(self) -> None:
        """Close what is still open."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _request(self, message, payload, protocol, writer, task):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 -- aiohttp's private types
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=self._max_body)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.startswith("/admin/"):
            return await self._admin(request, path)
        found = self._routes.find(request.method, path)
        if found is None:
            return self._without_function(path)
        function, values = found
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        level = str(function.binding.get("authLevel") or "function").lower()
        if not self._keys.allows(level, function.name, request_key(request, pairs)):
            return web.Response(status=401)
        if 0 < self._max_outstanding <= self._outstanding:
            return web.Response(status=429)
        self._outstanding += 1
        try:
            if self._slots is None:
                return await self._invoke(request, function, values, pairs)
            async with self._slots:
                return await self._invoke(request, function, values, pairs)
        finally:
            self._outstanding -= 1

    def _without_function(self, path: str) -> web.Response:
        if path != "/":
            return web.Response(status=404)
        return web.Response(status=302, headers={"Location": self._homepage}) if self._homepage else web.Response()

    async def _invoke(
        self, request: web.BaseRequest, function: Function, values: dict[str, str], query: list[tuple[str, str]]
    ) -> web.Response:
        body = b""
        if request.content_length:  # without Content-Length (chunked) the host passes an empty body
            try:
                body = await request.read()
            except web.HTTPRequestEntityTooLarge:
                return web.Response(status=413)
        headers = request.headers
        value = encoding.request(
            request.method,
            f"{request.scheme}://{request.host}{request.raw_path}",
            headers=headers.items(),
            query=query,
            route_values=values,
            body=body,
        )
        trace = TraceContext(headers.get("traceparent", ""), headers.get("tracestate", ""))
        outcome = await self._dispatcher.invoke(function, value, {}, trace=trace)
        if outcome.return_value is None:
            return web.Response(status=500)
        try:
            return _response(encoding.result(outcome.return_value))
        except (ValueError, TypeError, AttributeError):
            log.exception("Function '%s' returned what cannot be sent (Id=%s)", function.name, outcome.invocation_id)
            return web.Response(status=500)


def request_key(request: web.BaseRequest, query: list[tuple[str, str]]) -> str | None:
    """The key a caller presents: the header; only without one, the query parameter `code`."""
    key = request.headers.get("x-functions-key")
    if key is None:
        key = next((value for name, value in query if name.lower() == "code"), None)
    return key


def _response(result: encoding.HttpResult) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in result.headers:
        if name.lower() not in _SET_BY_SERVER and (name.lower() == "set-cookie" or name not in headers):
            headers.add(name, value)
    body = None if result.status in _BODYLESS else result.body
    return web.Response(status=result.status, headers=headers, body=body)
