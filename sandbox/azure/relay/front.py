"""The relay's one port: `/$hc/...` for listeners, everything else for senders, and controls of the stand-in."""

import uuid
from collections.abc import Iterable
from urllib.parse import urlencode

from aiohttp import web

from sandbox.azure.relay.exchanges import CONNECTION_HEADERS, Exchange
from sandbox.azure.relay.relay import NoAnswerError, RefusedError, Relay, new_socket
from sandbox.azure.shared_access import LISTEN, SEND

HEADER = "ServiceBusAuthorization"
_OURS = "sb-hc-"


class Front:
    """The routes over one relay; `namespace` is the name that it gives itself in `Via`."""

    def __init__(self, relay: Relay, namespace: str) -> None:
        self._relay = relay
        self._via = f"1.1 {namespace}"

    def app(self) -> web.Application:
        """The application with all routes."""
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_get("/control/health", self._health)
        app.router.add_get("/control/listeners", self._listeners)
        app.router.add_get("/$hc/{name}", self._web_socket)
        app.router.add_route("*", "/{name}{rest:.*}", self._request)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    async def _listeners(self, _: web.Request) -> web.Response:
        return web.json_response(self._relay.listeners())

    async def _web_socket(self, request: web.Request) -> web.StreamResponse:
        """A listener's control channel, or the WebSocket on which it fetches or answers one request."""
        name, action = request.match_info["name"], request.query.get("sb-hc-action")
        if action == "listen":
            try:
                token = request.query.get("sb-hc-token") or request.headers.get(HEADER)
                until = self._relay.check(token, name, LISTEN)
            except RefusedError as refused:
                return _own_answer(refused.status, refused.text)
            socket = new_socket()
            await socket.prepare(request)
            await self._relay.listen(socket, name, until)
            return socket
        exchange_id = request.query.get("sb-hc-id", "")
        if action != "request":
            return _own_answer(400, "Unrecognized action.")
        if not self._relay.expects(exchange_id):
            return _own_answer(403, "The URL has expired.")
        socket = new_socket()
        await socket.prepare(request)
        await self._relay.meet(socket, exchange_id)
        return socket

    async def _request(self, request: web.Request) -> web.Response:
        """A sender's request, passed on to a listener."""
        name = request.match_info["name"].partition("/")[0]
        try:
            token, used = _token_of(request)
            self._relay.check(token, name, SEND)
            query = [(key, value) for key, value in request.query.items() if not key.startswith(_OURS)]
            exchange = Exchange(
                method=request.method,
                target=request.rel_url.raw_path + (f"?{urlencode(query)}" if query else ""),
                headers=self._passed_on(request.headers.items(), used),
                body=await request.read(),
            )
            answer = await self._relay.ask(name, exchange)
        except RefusedError as refused:
            return _own_answer(refused.status, refused.text)
        except NoAnswerError:
            return _own_answer(504, "The listener has not answered in time.")
        headers = self._passed_on(answer.headers.items(), frozenset())
        return web.Response(status=answer.status, reason=answer.reason, headers=headers, body=answer.body)

    def _passed_on(self, headers: Iterable[tuple[str, str]], used: frozenset[str]) -> dict[str, str]:
        """Without those of the connection and those that were for the relay; with the relay in `Via`."""
        kept = {name: value for name, value in headers if name.lower() not in CONNECTION_HEADERS | used}
        before = next((value for name, value in kept.items() if name.lower() == "via"), None)
        without = {name: value for name, value in kept.items() if name.lower() != "via"}
        return without | {"Via": self._via if before is None else f"{before}, {self._via}"}


def _token_of(request: web.Request) -> tuple[str | None, frozenset[str]]:
    """The sender's token, and the headers that do not go on: `Authorization` does, unless the token came in it."""
    given = request.query.get("sb-hc-token") or request.headers.get(HEADER)
    if given is not None:
        return given, frozenset({HEADER.lower()})
    return request.headers.get("Authorization"), frozenset({HEADER.lower(), "authorization"})


def _own_answer(status: int, text: str) -> web.Response:
    """An answer of the relay itself: no `Via`, and an id with which Microsoft's support would find it."""
    return web.Response(status=status, text=f"{text} TrackingId:{uuid.uuid4()}")
