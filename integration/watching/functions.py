"""The timer trigger of watching."""

from collections.abc import Awaitable, Callable, Sequence

import azure.functions as func

from integration.errors import IntegrationError
from integration.telemetry import get_logger
from integration.watching.subscriptions import Subscriptions
from integration.watching.sweep import Sweep

EVERY_FIVE_MINUTES = "50 */5 * * * *"
"""NCRONTAB: towards the end of a minute, as many other jobs start at its beginning."""
_log = get_logger(__name__)


def blueprint(subscriptions: Subscriptions | None, sweep: Sweep | None) -> func.Blueprint:
    """Keep subscriptions and sweep every five minutes, where there is a system that is watched."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_FIVE_MINUTES)
    async def erp_watch(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        works: list[Callable[[], Awaitable[object]]] = []
        if subscriptions is not None:
            works.append(subscriptions.keep)
        if sweep is not None:
            works.append(sweep.run)
        await watch(works)

    return bp


async def watch(works: Sequence[Callable[[], Awaitable[object]]]) -> None:
    """Do each of them; one that fails is logged, does not keep the next from its turn, and comes again."""
    for work in works:
        try:
            await work()
        except IntegrationError as error:
            _log.warning("watch-failed", error=error)
