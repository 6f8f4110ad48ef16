"""aiohttp's sessions: created on first use, one set per event loop, without aiohttp's automatic behaviour."""

import asyncio
import weakref
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp

from integration.transport.hosts import Limits
from integration.transport.public_resolver import PublicResolver

_KEPT_SECONDS = 45.0
"""How long an idle connection is kept: shorter than servers (nginx: 75 s) and load balancers (Azure: 240 s) keep it."""

_OWN_HEADERS = {"User-Agent": "dataverse-integration", "Accept": "application/json", "Accept-Encoding": "gzip"}


class ConnectionLostError(Exception):
    """The connection ended before an answer began; the outcome of the request is unknown."""


@cache
def timeout_of(limits: Limits) -> aiohttp.ClientTimeout:
    """The limits that aiohttp keeps; the transport keeps that of the whole call."""
    # A read limit that is not shorter than the limit of the whole call has no effect, and would cost a timer.
    read = limits.read if limits.read < limits.total else None
    return aiohttp.ClientTimeout(total=None, sock_connect=limits.connect, sock_read=read)


@dataclass(frozen=True, slots=True)
class _Sessions:
    kept: aiohttp.ClientSession
    fresh: aiohttp.ClientSession


class Sessions:
    """The sessions of the calling event loop; those of loops that have ended are dropped.

    They have no cookies, no proxies or netrc from the environment, no decompression, and no limits of time or number:
    the transport sets those. With `public_only`, names are resolved to public addresses alone.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._public_only = public_only
        self._by_loop: dict[asyncio.AbstractEventLoop, _Sessions] = {}
        weakref.finalize(self, _let_go, self._by_loop)

    def kept(self) -> aiohttp.ClientSession:
        """The session that keeps its connections for the next request."""
        return self._of_this_loop().kept

    def fresh(self) -> aiohttp.ClientSession:
        """The session with a new connection for each request, so that it never uses one that the server has closed."""
        return self._of_this_loop().fresh

    async def aclose(self) -> None:
        """Close all connections of this event loop."""
        sessions = self._by_loop.pop(asyncio.get_running_loop(), None)
        if sessions is not None:
            await sessions.kept.close()
            await sessions.fresh.close()

    def _of_this_loop(self) -> _Sessions:
        loop = asyncio.get_running_loop()
        sessions = self._by_loop.get(loop)
        if sessions is None:
            ended = {other: self._by_loop.pop(other) for other in list(self._by_loop) if other.is_closed()}
            _let_go(ended)
            sessions = self._by_loop[loop] = _Sessions(
                kept=_session(_Connector(limit=0, keepalive_timeout=_KEPT_SECONDS, resolver=self._resolver())),
                fresh=_session(_Connector(limit=0, force_close=True, resolver=self._resolver())),
            )
        return sessions

    def _resolver(self) -> PublicResolver | None:
        return PublicResolver() if self._public_only else None


class _Connector(aiohttp.TCPConnector):
    """A connector without aiohttp's warning about open connections at exit: a function app is not notified before."""

    def __del__(self, *_: Any) -> None:
        """The system closes what is open."""


def _let_go(by_loop: dict[asyncio.AbstractEventLoop, _Sessions]) -> None:
    for sessions in by_loop.values():
        sessions.kept.detach()
        sessions.fresh.detach()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        headers=_OWN_HEADERS,
        skip_auto_headers=("Content-Type",),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
        middlewares=(_send_once,),
    )


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Stops aiohttp from repeating idempotent requests by itself; the transport decides that."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise ConnectionLostError from error
