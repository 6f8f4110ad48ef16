"""One port with TLS for everything that a real namespace offers: AMQP (there 5671), WebSockets and HTTPS (there 443).

Which of them a client speaks is seen in its first bytes.
"""

import asyncio
import ssl

from aiohttp import web

from sandbox.azure.broker.server import BACKLOG, ClientProtocol, Server

_AMQP = b"AMQP"


class SecurePort:
    """Listens with TLS for one server and its HTTP application."""

    def __init__(self, server: Server, http: web.AppRunner, context: ssl.SSLContext) -> None:
        self._server, self._http, self._context = server, http, context
        self._listener: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Listens. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: _Undecided(self._server, self._http), host, port, ssl=self._context, backlog=BACKLOG
        )

    def stop(self) -> None:
        """Takes no more clients; the connected ones are closed with the server."""
        if self._listener is not None:
            self._listener.close()


class _Undecided(asyncio.Protocol):
    """A client whose protocol is not known yet."""

    def __init__(self, server: Server, http: web.AppRunner) -> None:
        self._server, self._http = server, http
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        transport = self._transport
        if transport is None or len(self._received) < len(_AMQP):
            return
        protocol: asyncio.Protocol
        if self._received.startswith(_AMQP):
            protocol = ClientProtocol(self._server)
        elif self._http.server is not None:
            protocol = self._http.server()
        else:
            transport.abort()
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(bytes(self._received))
