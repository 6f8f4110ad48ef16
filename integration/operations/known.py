"""What all instances know alike, as a timer wants it: what waits and what is dead-lettered, the systems, the budgets.

Metrics are made of it, and operators are told of it, in one run of the timer of the figures: it is read once for both.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.ledger import State
from integration.operations.budgets import Budgets, Use
from integration.operations.causes import Causes
from integration.operations.figures import Figures
from integration.protection import SystemState

_HOLDS_SECONDS: Final = 20.0
"""A run takes a few seconds, and the next one begins after a minute."""


@dataclass(frozen=True, slots=True)
class Known:
    """Events in groups by cause; the state of each system's breaker; what is used of each budget."""

    waiting: Causes
    dead: Causes
    systems: Mapping[str, SystemState]
    budgets: Mapping[str, Use]


class Knowledge:
    """Reads it; `systems` gives the state of each system's breaker."""

    def __init__(
        self, figures: Figures, systems: Callable[[], Awaitable[dict[str, SystemState]]], budgets: Budgets, clock: Clock
    ) -> None:
        self._figures = figures
        self._systems = systems
        self._budgets = budgets
        self._clock = clock
        self._last: tuple[float, Known] | None = None

    async def now(self) -> Known:
        """As it is, at most twenty seconds old; raises `Transient` where something of it cannot be read."""
        if self._last is not None and self._clock.monotonic() - self._last[0] < _HOLDS_SECONDS:
            return self._last[1]
        series = await self._figures.series()
        known = Known(
            waiting=await self._figures.causes(series, State.WAITING.value),
            dead=await self._figures.causes(series, State.DEAD_LETTERED.value),
            systems=await self._systems(),
            budgets=await self._budgets.now(),
        )
        self._last = self._clock.monotonic(), known
        return known
