"""How a call says who we are: an API key, or a bearer token that is kept until shortly before it expires."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from integration.clock import Clock
from integration.errors import IntegrationError


class Authorizer(Protocol):
    """Gives the headers that admit a call."""

    def headers(self) -> Mapping[str, str]:
        """The headers; may call a token endpoint, and raise what that raises."""
        ...

    def refused(self, given: Mapping[str, str]) -> bool:
        """`given` was answered 401: forget it. True when another `headers()` may do better."""
        ...


class ApiKey:
    """The same header on every call."""

    def __init__(self, key: str, *, header: str = "X-Api-Key") -> None:
        self._headers = {header: key}

    def headers(self) -> Mapping[str, str]:
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
    """`Authorization: Bearer ...` with tokens that `fetch` gets; safe to share between threads.

    One fetch runs at a time. While it does, threads go on with the present token as long as that works, and otherwise
    wait for the one fetch and share its outcome, also when it fails: a token endpoint in trouble gets one request, not
    one per thread.
    """

    def __init__(self, fetch: Callable[[], Token], *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: _Kept | None = None
        self._pending: Future[_Kept] | None = None

    def headers(self) -> Mapping[str, str]:
        now = self._clock.monotonic()
        with self._lock:
            kept = self._kept
            if kept is not None and now < kept.refresh_at:
                return kept.headers
            ours = self._pending is None
            pending = self._pending = self._pending or Future()
        works = kept.headers if kept is not None and now < kept.ends_at else None
        if ours:
            self._renew(pending, now)
        elif works is not None:
            return works
        try:
            return pending.result().headers
        except IntegrationError:
            if works is not None:
                return works
            raise

    def refused(self, given: Mapping[str, str]) -> bool:
        with self._lock:
            if self._kept is not None and self._kept.headers == given:
                self._kept = None
        return True

    def _renew(self, pending: "Future[_Kept]", now: float) -> None:
        """Fetch a token and tell all who wait; `now` is from before the fetch, so that times err to the safe side."""
        try:
            token = self._fetch()
        except BaseException as error:  # noqa: BLE001 -- whoever waits gets it, this thread too
            with self._lock:
                self._pending = None
                if self._kept is not None:
                    self._kept = replace(self._kept, refresh_at=now + _PAUSE)
            pending.set_exception(error)
            return
        ends_at = now + token.lifetime
        kept = _Kept({"Authorization": f"Bearer {token.value}"}, ends_at - min(_EARLY, token.lifetime / 5), ends_at)
        with self._lock:
            self._pending = None
            self._kept = kept
        pending.set_result(kept)


_EARLY = 300.0
"""Seconds before its end at which a token is renewed (less for tokens that live shortly)."""

_PAUSE = 30.0
"""Seconds between two tries to renew a token that still works."""
