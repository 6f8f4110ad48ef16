"""A listener that is written for the protocol, and the tokens of both sides."""

import json
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from integration.clock import SystemClock
from integration.transport import SharedAccessSignatures
from tests.contract.sandbox.azure.relay.relay_process import SEND_KEY, RelayProcess

HEADER = "ServiceBusAuthorization"


class MovedClock(SystemClock):
    """The machine's clock, so many seconds later."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._seconds)


async def token(relay: RelayProcess, name: str, key: str, *, path: str = "", seconds: int = 0) -> str:
    """A token signed as the app signs its own; `seconds` moves its end."""
    made = SharedAccessSignatures(path or relay.url, key_name=name, key=key, clock=MovedClock(seconds))
    return (await made.headers())[HEADER]


async def sender(relay: RelayProcess) -> dict[str, str]:
    return {HEADER: await token(relay, "send", SEND_KEY)}


class Listener:
    """A control channel; what it was asked is in `heard`."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self.socket = socket
        self.heard: list[tuple[dict[str, Any], bytes]] = []

    async def answer(self, body: bytes, *, status: int = 200, rendezvous: bool = False, **headers: str) -> None:
        """Take one request and answer it, with `rendezvous` on a WebSocket of its own."""
        request, _ = await self._request(self.socket)
        answering = self.socket
        if "method" not in request or rendezvous:
            answering = await self._session.ws_connect(request["address"])
        if "method" not in request:
            request, _ = await self._request(answering)
        response = {
            "requestId": request["id"],
            "statusCode": str(status),
            "responseHeaders": {name.replace("_", "-"): value for name, value in headers.items()},
            "body": bool(body),
        }
        await answering.send_str(json.dumps({"response": response}))
        if body:
            await answering.send_bytes(body)

    async def _request(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[dict[str, Any], bytes]:
        request = (await socket.receive_json())["request"]
        body = await socket.receive_bytes() if request.get("body") else b""
        self.heard.append((request, body))
        return request, body
