"""Authorises our calls: with an API key, or with a bearer token that is kept until shortly before it expires."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from integration.clock import Clock
from integration.transport.single_flight import SingleFlight


class Authorizer(Protocol):
    """Gives the headers that authorise a call."""

    async def headers(self) -> Mapping[str, str]:
        """The headers; may call a token endpoint, and raise what that raises."""
        ...

    def refused(self, given: Mapping[str, str]) -> bool:
        """Forget the headers `given`, which were answered 401.

        True if another call of `headers()` may give better ones.
        """
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
    """An access token, and for how many seconds from now it is valid."""

    value: str
    lifetime: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token with its times on the monotonic clock: it is renewed from `refresh_at` on, and valid until `ends_at`."""

    headers: Mapping[str, str]
    refresh_at: float
    ends_at: float


class BearerTokens:
    """`Authorization: Bearer ...` with tokens that `fetch` gets; one for all calls to a system.

    One fetch runs at a time. Meanwhile calls use the present token if it is still valid; otherwise they wait for the
    fetch and share its outcome, even if it fails. So a token endpoint in trouble gets one request, not one per call. A
    call that is cancelled while it waits does not end the fetch for the others.
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
        """Fetch a token and keep it.

        `now` was read before the fetch, so that the token never counts as valid for too long.
        """
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
"""Seconds before its end at which a token is renewed (fewer for short-lived tokens)."""

_PAUSE = 30.0
"""Seconds between two attempts to renew a token that is still valid."""
