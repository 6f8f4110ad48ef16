"""The Event Hub trigger of the Event Grid sink."""

from typing import List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func

from integration.analytics.hub_trigger import on_settled_events
from integration.analytics.sinks.event_grid import EventGridSink


def blueprint(sink: EventGridSink, *, hub: str, consumer_group: str) -> func.Blueprint:
    """Bind the sink to a hub."""
    bp = func.Blueprint()

    @on_settled_events(bp, hub=hub, consumer_group=consumer_group)
    async def event_grid_publish(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        await sink.publish([event.get_body() for event in events])

    return bp
