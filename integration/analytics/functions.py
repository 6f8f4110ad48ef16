"""The triggers of sinks: each has a function and a consumer group of its own, and the Delta table has a timer.

A sink is opened, and its modules are imported, with the first batch that comes for it: the app starts no later for it.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC
from functools import cache
from typing import TYPE_CHECKING, List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func

from integration.analytics.hub_trigger import on_settled_events

if TYPE_CHECKING:
    from integration.analytics.delivery import Delivery
    from integration.analytics.delta_upkeep import Upkeep
    from integration.analytics.row import Row

EVERY_TEN_MINUTES = "40 3-53/10 * * * *"
"""NCRONTAB: not on the full minutes at which many other jobs start."""


def blueprint(name: str, open_delivery: "Callable[[], Delivery]", *, hub: str, consumer_group: str) -> func.Blueprint:
    """Bind a sink to a hub by a function of this `name`."""
    bp = func.Blueprint()
    opened = cache(open_delivery)

    @bp.function_name(name)
    @on_settled_events(bp, hub=hub, consumer_group=consumer_group, reader=name)
    async def deliver(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        await opened().deliver([_row(event) for event in events])

    return bp


def upkeep_blueprint(open_upkeep: "Callable[[], Upkeep]") -> func.Blueprint:
    """Keep the Delta table in order: a commit costs the more CPU the more files it has."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule=EVERY_TEN_MINUTES)
    async def delta_upkeep(timer: func.TimerRequest) -> None:  # noqa: ARG001 -- the trigger's name for it
        await asyncio.to_thread(open_upkeep().run)

    return bp


def _row(event: func.EventHubEvent) -> "Row":
    """The runtime gives the enqueued time in UTC without saying so."""
    from integration.analytics.row import Row  # noqa: PLC0415 -- see above

    partition = (event.metadata or {})["PartitionContext"]["PartitionId"]
    if event.sequence_number is None or event.enqueued_time is None:
        raise ValueError("the trigger gave an event without its sequence number and time in the hub")
    return Row.read(partition, event.sequence_number, event.enqueued_time.replace(tzinfo=UTC), event.get_body())
