"""What a sender asks and a listener answers, in the JSON frames of the Hybrid Connections protocol."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

CONNECTION_HEADERS = frozenset(
    {"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade", "close", "keep-alive"}
)
"""Headers of one HTTP connection, which do not travel to the other side (RFC 7230)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a listener answers."""

    status: int
    reason: str | None
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Exchange:
    """One request of a sender, until it is answered; `address` is where a listener meets it on a WebSocket."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    address: str = ""
    is_sent: bool = False
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    async def send(self, socket: web.WebSocketResponse) -> None:
        """Send the whole request on this WebSocket."""
        self.is_sent = True
        request = {
            "address": self.address,
            "id": self.id,
            "requestTarget": self.target,
            "method": self.method,
            "requestHeaders": dict(self.headers),
            "body": bool(self.body),
        }
        await socket.send_str(json.dumps({"request": request}))
        if self.body:
            await socket.send_bytes(self.body)

    async def announce(self, socket: web.WebSocketResponse) -> None:
        """Send only where to fetch the request."""
        await socket.send_str(json.dumps({"request": {"address": self.address, "id": self.id}}))

    def answered(self, answer: Answer) -> None:
        """Take the answer; one that comes too late, or twice, is nobody's."""
        if not self.answer.done():
            self.answer.set_result(answer)


_ENDED = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


class Frames:
    """The messages of one WebSocket: JSON, and the body behind it where it says that there is one.

    A socket on which nothing comes for `idle_seconds`, not even a ping, is idle; None: never.
    """

    def __init__(self, socket: web.WebSocketResponse, *, idle_seconds: float | None = None) -> None:
        self._socket = socket
        self._idle_seconds = idle_seconds

    async def next(self) -> tuple[dict[str, Any], bytes] | None:
        """The next message and its body; None when the WebSocket has ended. Binary frames of no message are skipped.

        Raises `TimeoutError` where it is idle.
        """
        while (frame := await self._socket.receive(self._idle_seconds)).type not in _ENDED:
            if frame.type is WSMsgType.PING:
                await self._socket.pong(frame.data)
            if frame.type is not WSMsgType.TEXT:
                continue
            message: dict[str, Any] = json.loads(frame.data)
            response = message.get("response", {})
            return message, await self._body() if response.get("body") else b""
        return None

    async def _body(self) -> bytes:
        frame = await self._socket.receive()
        return bytes(frame.data) if frame.type is WSMsgType.BINARY else b""


def answer_of(response: Mapping[str, Any], body: bytes) -> Answer:
    """The answer in a `response` message."""
    headers = {name: str(value) for name, value in (response.get("responseHeaders") or {}).items()}
    return Answer(int(response["statusCode"]), response.get("statusDescription"), headers, body)
