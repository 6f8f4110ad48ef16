"""Metrics that all instances know alike: events that wait, breakers, budgets. A timer sets them on one instance."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from integration.clock import Clock
from integration.errors import Transient
from integration.ledger import State
from integration.operations.budgets import Budgets
from integration.operations.causes import Causes
from integration.operations.figures import Figures
from integration.protection import Phase, SystemState
from integration.telemetry import get_logger, metrics

_PHASES: Final = {Phase.CLOSED: 0, Phase.HALF_OPEN: 1, Phase.OPEN: 2}
_PAUSED: Final = 3
_log = get_logger(__name__)


class Measures:
    """Sets the metrics; `systems` gives the state of each system's breaker."""

    def __init__(
        self, figures: Figures, systems: Callable[[], Awaitable[dict[str, SystemState]]], budgets: Budgets, clock: Clock
    ) -> None:
        self._figures = figures
        self._systems = systems
        self._budgets = budgets
        self._clock = clock

    async def run(self) -> None:
        """Take them, if anybody gets them; what is away now is asked for in the next run."""
        if not metrics.is_on():
            return
        try:
            await self._take()
        except Transient as error:
            _log.warning("measures-not-taken", error=error)

    async def _take(self) -> None:
        series = await self._figures.series()
        for state in (State.WAITING, State.DEAD_LETTERED):
            causes = await self._figures.causes(series, state.value)
            metrics.UNSETTLED.set(causes.total, state.value)
            if state is State.WAITING:
                metrics.OLDEST.set(_longest(causes, self._clock.now()))
        for name, system in (await self._systems()).items():
            metrics.BREAKER.set(_PAUSED if system.pause else _PHASES[system.phase], name)
        for name, use in (await self._budgets.now()).items():
            metrics.BUDGET.set(use.spent / use.requests, name)


def _longest(waiting: Causes, now: datetime) -> float:
    oldest = min((it.oldest for it in waiting.causes if it.oldest), default=now)
    return (now - oldest).total_seconds()
