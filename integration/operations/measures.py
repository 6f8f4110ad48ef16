"""Metrics that all instances know alike: events that wait, breakers, budgets. A timer sets them on one instance."""

from datetime import datetime
from typing import Final

from integration.clock import Clock
from integration.errors import Transient
from integration.ledger import State
from integration.operations.causes import Causes
from integration.operations.known import Knowledge
from integration.protection import Phase
from integration.telemetry import get_logger, metrics

_PHASES: Final = {Phase.CLOSED: 0, Phase.HALF_OPEN: 1, Phase.OPEN: 2}
_PAUSED: Final = 3
_log = get_logger(__name__)


class Measures:
    """Sets the metrics."""

    def __init__(self, knowledge: Knowledge, clock: Clock) -> None:
        self._knowledge = knowledge
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
        known = await self._knowledge.now()
        metrics.UNSETTLED.set(known.waiting.total, State.WAITING.value)
        metrics.UNSETTLED.set(known.dead.total, State.DEAD_LETTERED.value)
        metrics.OLDEST.set(_longest(known.waiting, self._clock.now()))
        for name, system in known.systems.items():
            metrics.BREAKER.set(_PAUSED if system.pause else _PHASES[system.phase], name)
        for name, use in known.budgets.items():
            metrics.BUDGET.set(use.spent / use.requests, name)


def _longest(waiting: Causes, now: datetime) -> float:
    oldest = min((it.oldest for it in waiting.causes if it.oldest), default=now)
    return (now - oldest).total_seconds()
