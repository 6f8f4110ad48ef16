"""AMQP over WebSockets, as real namespaces serve it at `/$servicebus/websocket` under the subprotocol AMQPWSB10."""

import asyncio
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.azure.broker.server import ClientProtocol, Server

PATH = "/$servicebus/websocket"
_SUBPROTOCOLS = ("AMQPWSB10", "amqp")
_LARGEST_MESSAGE = 16 * 1024**2  # bytes; clients may put many frames into one


class WebSockets:
    """The route for one server; each WebSocket is a connection like those on the AMQP port."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def routes(self) -> list[web.RouteDef]:
        """With and without the slash that some clients add."""
        return [web.get(path, self.serve) for path in (PATH, f"{PATH}/")]

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Carries AMQP until either side ends."""
        socket = web.WebSocketResponse(protocols=_SUBPROTOCOLS, max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        transport, client = _Transport(socket, request), ClientProtocol(self._server)
        client.connection_made(transport)
        sending = asyncio.create_task(transport.send())
        try:
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    client.data_received(message.data)
        finally:
            client.connection_lost(None)
            transport.close()
            await sending
        return socket


class _Transport(asyncio.Transport):
    """What the broker writes to a WebSocket, in the shape of a socket's transport."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        super().__init__()
        self._socket, self._request = socket, request
        self._output = bytearray()
        self._wake = asyncio.Event()
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._output += data
        self._wake.set()

    def close(self) -> None:
        self._closing = True
        self._wake.set()

    def abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()
        self.close()

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._request.get_extra_info(name, default)

    async def send(self) -> None:
        """Sends what is written, until the end."""
        while not self._socket.closed and (self._output or not self._closing):
            await self._wake.wait()
            self._wake.clear()
            data = bytes(self._output)
            self._output.clear()
            if data and not self._socket.closed:
                try:
                    await self._socket.send_bytes(data)
                except ConnectionError:
                    return
        await self._socket.close()
