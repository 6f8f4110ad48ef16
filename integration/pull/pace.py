"""How fast events are queued that nobody waits for: slowly enough that those that somebody waits for go first.

An event costs Dataverse about two requests: its row is read, and what came of it is written back. Half of the budget of
requests (`DATAVERSE_REQUESTS`, in five minutes) is left to live traffic; when all of it together has used four fifths
of the budget, nothing is queued until it is less.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from integration.clock import Clock

REQUESTS_EACH: Final = 2
_WINDOW: Final = 300.0
_SHARE: Final = 0.5
_FULL: Final = 0.8
_LOOK_EVERY: Final = 15.0
_HOLD: Final = 5.0
_MOMENT: Final = 0.25

Sleep = Callable[[float], Awaitable[None]]


class Spent(Protocol):
    """How many requests all instances have sent to each system in five minutes."""

    async def now(self) -> dict[str, int]: ...


class Pace:
    """Lets events through, `default_rate` in a second if nothing else is asked for; raises what `spent` raises."""

    def __init__(self, budget: int, spent: Spent, clock: Clock, *, sleep: Sleep = asyncio.sleep) -> None:
        self._budget = budget
        self._spent = spent
        self._clock = clock
        self._sleep = sleep
        self._last = float("-inf")
        self._looked = float("-inf")
        self._full = False
        self.default_rate = budget * _SHARE / _WINDOW / REQUESTS_EACH

    async def wait(self, count: int, rate: float, *, until: float) -> bool:
        """Wait until so many events may follow the last ones at this rate, and while the budget is used up.

        What the caller has done since then is part of the time. False where that would not be over by `until`
        (`Clock.monotonic`): then it has not waited for it.
        """
        now = self._clock.monotonic()
        last = now if self._last == float("-inf") else self._last
        due = max(now, last + count / rate)
        if due > until:
            return False
        self._last = due
        if due > now:
            await self._sleep(due - now)
        while await self._is_full():
            if self._clock.monotonic() + _HOLD > until:
                return False
            await self._sleep(_HOLD)
        return True

    async def pause(self, *, until: float) -> bool:
        """Wait a moment for something that this cannot see; False where `until` would be over."""
        if self._clock.monotonic() + _MOMENT > until:
            return False
        await self._sleep(_MOMENT)
        return True

    async def _is_full(self) -> bool:
        now = self._clock.monotonic()
        if self._full or now >= self._looked + _LOOK_EVERY:
            self._looked = now
            self._full = (await self._spent.now()).get("dataverse", 0) >= _FULL * self._budget
        return self._full
