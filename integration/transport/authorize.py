"""How a call says who we are: an API key, or a bearer token that is kept until shortly before it expires."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from integration.clock import Clock
from integration.transport.single_flight import SingleFlight


class Authorizer(Protocol):
    """Gives the headers that admit a call."""

    async def headers(self) -> Mapping[str, str]:
        """The headers; may call a token endpoint, and raise what that raises."""
        ...

    def refused(self, given: Mapping[str, str]) -> bool:
        """`given` was answered 401: forget it. True when another `headers()` may do better."""
        ...


class ApiKey:
    """The same header on every call."""

    def __init__(self, key: str, *, header: str = "X-Api-Key") -> None:
        self._headers = {header: key}

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def refused(self, given: Mapping[str, str]) -> bool:  # noqa: ARG002 -- a key has no successor
        return False


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and for how many seconds from now it is good."""

    value: str
    lifetime: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token with its times on the monotonic clock; from `refresh_at` on it is renewed, until `ends_at` it works."""

    headers: Mapping[str, str]
    refresh_at: float
    ends_at: float


class BearerTokens:
    """`Authorization: Bearer ...` with tokens that `fetch` gets; one for all calls to a system.

    One fetch runs at a time. While it does, calls go on with the present token as long as that works, and otherwise
    wait for the one fetch and share its outcome, also when it fails: a token endpoint in trouble gets one request, not
    one per call. A call that is cancelled while it waits does not end the fetch for the others.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Token]], *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: _Kept | None = None
        self._renewal = SingleFlight[_Kept]()

    async def headers(self) -> Mapping[str, str]:
        now = self._clock.monotonic()
        kept = self._kept
        if kept is not None and now < kept.refresh_at:
            return kept.headers
        renewal = self._renewal.start(lambda: self._renew(now))
        if kept is not None and now < kept.ends_at:
            return kept.headers
        return (await asyncio.shield(renewal)).headers

    def refused(self, given: Mapping[str, str]) -> bool:
        if self._kept is not None and self._kept.headers == given:
            self._kept = None
        return True

    async def _renew(self, now: float) -> _Kept:
        """Fetch a token and keep it; `now` is from before the fetch, so that times err to the safe side."""
        try:
            token = await self._fetch()
        except BaseException:
            if self._kept is not None:
                self._kept = replace(self._kept, refresh_at=now + _PAUSE)
            raise
        ends_at = now + token.lifetime
        refresh_at = ends_at - min(_EARLY, token.lifetime / 5)
        self._kept = kept = _Kept({"Authorization": f"Bearer {token.value}"}, refresh_at, ends_at)
        return kept


_EARLY = 300.0
"""Seconds before its end at which a token is renewed (less for tokens that live shortly)."""

_PAUSE = 30.0
"""Seconds between two tries to renew a token that still works."""
