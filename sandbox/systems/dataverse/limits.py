"""Service-protection limits: per user, in a sliding window (Dataverse: 6,000 requests, 1,200 s, 52 at once, 300 s).

Requests are always counted, but refused only after `POST /control/limits`, so that a load test can choose.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.systems.dataverse.errors import throttled


@dataclass
class Limits:
    """The limits in force; times in seconds."""

    requests: int = 6_000
    execution_seconds: float = 1_200.0
    concurrent: int = 52
    window_seconds: float = 300.0
    dop_hint: int = 8
    """The number of calls at once that `x-ms-dop-hint` recommends; it is always sent and never enforced."""
    enforced: bool = False


@dataclass
class _Usage:
    finished: deque[tuple[float, float]] = field(default_factory=deque)
    running: int = 0


class ServiceProtection:
    """Counts what each user does."""

    def __init__(self) -> None:
        self._limits = Limits()
        self._usage: dict[str, _Usage] = {}

    @contextmanager
    def counted(self, user_id: str) -> Iterator[dict[str, str]]:
        """Count one request; returns the headers with what is left; 429 if a limit in force is exceeded."""
        usage, started = self._usage.setdefault(user_id, _Usage()), time.monotonic()
        while usage.finished and usage.finished[0][0] <= started - self._limits.window_seconds:
            usage.finished.popleft()
        spent = sum(seconds for _, seconds in usage.finished)
        if self._limits.enforced:
            self._refuse_excess(usage, spent, started)
        usage.running += 1
        try:
            yield {
                "x-ms-ratelimit-burst-remaining-xrm-requests": str(
                    max(0, self._limits.requests - len(usage.finished) - usage.running)
                ),
                "x-ms-dop-hint": str(self._limits.dop_hint),
                "x-ms-ratelimit-time-remaining-xrm-requests": f"{max(0.0, self._limits.execution_seconds - spent):.2f}",
            }
        finally:
            usage.running -= 1
            usage.finished.append((time.monotonic(), time.monotonic() - started))

    def _refuse_excess(self, usage: _Usage, spent: float, now: float) -> None:
        if usage.running >= self._limits.concurrent:
            raise throttled("concurrency", 1)
        limit = None
        if len(usage.finished) + usage.running >= self._limits.requests:
            limit = "requests"
        elif spent >= self._limits.execution_seconds:
            limit = "time"
        if limit is not None:
            oldest = usage.finished[0][0] if usage.finished else now
            raise throttled(limit, max(1, round(oldest + self._limits.window_seconds - now)))

    async def set_limits(self, request: web.Request) -> web.Response:
        """POST /control/limits {"requests", "execution_seconds", "concurrent", "window_seconds", "dop_hint"}."""
        self._limits = Limits(**await request.json(), enforced=True)
        self._usage.clear()
        return web.Response(status=204)

    async def clear_limits(self, _: web.Request) -> web.Response:
        """DELETE /control/limits: count only."""
        self._limits = Limits()
        self._usage.clear()
        return web.Response(status=204)
