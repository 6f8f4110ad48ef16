"""Keeps what a process knows of a shared document up to date, with one read every two seconds at most."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final

from integration.clock import Clock
from integration.transport.single_flight import SingleFlight

FRESH: Final = 2.0
"""Seconds for which what was read holds; then it is read again, while callers go on with it."""
_STALE: Final = 10.0
"""Seconds after which callers wait until it has been read: the process had nothing to do meanwhile."""


class Lookout:
    """Calls `read` when somebody asks and what is known is no longer fresh; `read` deals with its own failures.

    Callers wait for it where what is known is older than `stale` seconds.
    """

    def __init__(self, read: Callable[[], Awaitable[None]], clock: Clock, *, stale: float = _STALE) -> None:
        self._read = read
        self._clock = clock
        self._stale = stale
        self._read_at = -math.inf
        self._reading = SingleFlight[None]()

    def look(self) -> "asyncio.Task[None] | None":
        """Begin to read it again where what is known is no longer fresh; None where it is."""
        age = self._clock.monotonic() - self._read_at
        return self._reading.start(self._look) if age >= FRESH else None

    async def keep_up(self) -> None:
        """Return at once while what is known is fresh enough, else when it has been read."""
        age = self._clock.monotonic() - self._read_at
        if age >= FRESH:
            reading = self._reading.start(self._look)
            if age >= self._stale:
                await asyncio.shield(reading)

    async def _look(self) -> None:
        await self._read()
        self._read_at = self._clock.monotonic()
