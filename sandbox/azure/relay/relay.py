"""One namespace with its hybrid connections: who listens, and how a request finds a listener.

Source: "Azure Relay Hybrid Connections protocol" (learn.microsoft.com), HTTP part.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from urllib.parse import quote

from aiohttp import WSCloseCode, web

from sandbox.azure.relay.exchanges import Answer, Exchange, Frames, answer_of
from sandbox.azure.shared_access import LISTEN, AccessKey, covers, ends_at, signer

ON_CONTROL_CHANNEL = 64 * 1024
"""Bytes of headers and body that a request may have on the control channel."""

MOST_LISTENERS = 25

_LARGEST_MESSAGE = 16 * 1024**2
_PING_SECONDS = 30.0


class RefusedError(Exception):
    """The relay itself refuses; has the status and what it says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class NoAnswerError(Exception):
    """No listener has answered in time."""


class Relay:
    """The hybrid connections of these names, for callers with tokens of `keys`.

    `answer_seconds` is how long a listener may take, and `idle_seconds` how long it may say nothing: the service drops
    one that does not ping after about four minutes, as its users report. `address` gives the WebSocket address of a
    path.
    """

    def __init__(
        self,
        names: Iterable[str],
        keys: dict[str, AccessKey],
        *,
        address: Callable[[str], str],
        answer_seconds: float = 60.0,
        idle_seconds: float = 240.0,
    ) -> None:
        self._listeners: dict[str, list[_ControlChannel]] = {name.lower(): [] for name in names}
        self._keys = keys
        self._address = address
        self._answer_seconds = answer_seconds
        self._idle_seconds = idle_seconds
        self._waiting: dict[str, Exchange] = {}

    def knows(self, name: str) -> bool:
        """Whether there is a hybrid connection of this name."""
        return name.lower() in self._listeners

    def listeners(self) -> dict[str, int]:
        """How many listeners each hybrid connection has."""
        return {name: len(channels) for name, channels in self._listeners.items()}

    def check(self, token: str | None, name: str, right: str) -> float:
        """When the token ends (Unix seconds); raises `RefusedError` where it does not give the right on `name`."""
        if not self.knows(name):
            raise RefusedError(404, "Endpoint does not exist.")
        key = signer(token or "", self._keys, time.time())
        if token is None or key is None:
            raise RefusedError(401, "MalformedToken: The security token is missing, malformed or invalid.")
        if right not in key.rights or not covers(token, name):
            raise RefusedError(403, f"Unauthorized access. '{right}' claim(s) are required for this path.")
        return ends_at(token)

    async def listen(self, socket: web.WebSocketResponse, name: str, until: float) -> None:
        """Keep a control channel until it ends, or its token does."""
        channels = self._listeners[name.lower()]
        if len(channels) >= MOST_LISTENERS:
            await socket.close(code=WSCloseCode.INTERNAL_ERROR, message=b"Too many listeners.")
            return
        channel = _ControlChannel(socket)
        channels.append(channel)
        ending = asyncio.create_task(channel.end_at(until))
        frames = Frames(socket, idle_seconds=self._idle_seconds)
        try:
            while (found := await frames.next()) is not None:
                message, body = found
                if "response" in message:
                    self._answered(message["response"]["requestId"], answer_of(message["response"], body))
                elif "renewToken" in message:
                    ending.cancel()
                    until = self._renewed(message["renewToken"].get("token"), name)
                    ending = asyncio.create_task(channel.end_at(until))
        except TimeoutError:
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"The connection was idle.")
        finally:
            ending.cancel()
            channels.remove(channel)

    async def meet(self, socket: web.WebSocketResponse, exchange_id: str) -> None:
        """A listener has come to the address of a request: give it the request if it has none, and take the answer."""
        exchange = self._waiting[exchange_id]
        if not exchange.is_sent:
            await exchange.send(socket)
        found = await Frames(socket).next()
        if found is not None and "response" in found[0]:
            exchange.answered(answer_of(found[0]["response"], found[1]))
        await socket.close()

    def expects(self, exchange_id: str) -> bool:
        """Whether a request waits at this address."""
        return exchange_id in self._waiting

    async def ask(self, name: str, exchange: Exchange) -> Answer:
        """The answer of a listener; raises `RefusedError` where there is none, `NoAnswerError` where it is too late."""
        channels = self._listeners[name.lower()]
        if not channels:
            raise RefusedError(404, "There are no listeners connected for the endpoint.")
        exchange.address = self._address(f"$hc/{quote(name)}?sb-hc-action=request&sb-hc-id={exchange.id}")
        self._waiting[exchange.id] = exchange
        size = len(exchange.body) + sum(len(key) + len(value) for key, value in exchange.headers.items())
        try:
            await random.choice(channels).send(exchange, whole=size <= ON_CONTROL_CHANNEL)
            async with asyncio.timeout(self._answer_seconds):
                return await exchange.answer
        except (TimeoutError, ConnectionError) as error:
            raise NoAnswerError from error
        finally:
            del self._waiting[exchange.id]

    def _answered(self, exchange_id: str, answer: Answer) -> None:
        exchange = self._waiting.get(exchange_id)
        if exchange is not None:
            exchange.answered(answer)

    def _renewed(self, token: str | None, name: str) -> float:
        try:
            return self.check(token, name, LISTEN)
        except RefusedError:
            return 0.0


class _ControlChannel:
    """A listener's control channel; the frames of two requests never mix on it."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._sending = asyncio.Lock()

    async def send(self, exchange: Exchange, *, whole: bool) -> None:
        async with self._sending:
            await (exchange.send(self._socket) if whole else exchange.announce(self._socket))

    async def end_at(self, until: float) -> None:
        """Close it when its token ends, as the protocol says."""
        await asyncio.sleep(max(0.0, until - time.time()))
        await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"The security token has expired.")


def new_socket() -> web.WebSocketResponse:
    """A WebSocket as the relay keeps it: it pings, so that a dead listener is noticed; `Frames` answers pings."""
    return web.WebSocketResponse(max_msg_size=_LARGEST_MESSAGE, heartbeat=_PING_SECONDS, autoping=False)
