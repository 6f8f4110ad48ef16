"""Limits how many calls may be under way at once."""

import asyncio
from collections import deque
from contextlib import suppress


class Limiter:
    """Lets `limit` callers in at a time and the others in the order in which they came; for one event loop.

    Unlike an `asyncio.Semaphore`, it can grow and shrink at any time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def running(self) -> int:
        return self._running

    def set_limit(self, limit: int) -> None:
        """Set the limit to `limit`, at least one; callers that are in stay in."""
        self._limit = max(1, limit)
        self._let_in()

    def try_enter(self) -> bool:
        """Take a place if one is free; a caller that got one gives it back with `leave`."""
        if self._waiting or self._running >= self._limit:
            return False
        self._running += 1
        return True

    async def enter(self) -> None:
        """Wait for a place, behind those who are waiting already."""
        if self.try_enter():
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was let in at the very moment at which it gave up
                self.leave()
            with suppress(ValueError):
                self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place back."""
        self._running -= 1
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._running < self._limit:
            place = self._waiting.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)
