"""The Event Hub trigger of the archive."""

from datetime import UTC
from typing import List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func

from integration.analytics.hub_trigger import on_settled_events
from integration.analytics.sinks.archive import ArchiveSink, HubEvent


def blueprint(archive: ArchiveSink, *, hub: str, consumer_group: str) -> func.Blueprint:
    """Bind the sink to a hub."""
    bp = func.Blueprint()

    @on_settled_events(bp, hub=hub, consumer_group=consumer_group)
    def archive_events(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        archive.write([_hub_event(event) for event in events])

    return bp


def _hub_event(event: func.EventHubEvent) -> HubEvent:
    """The runtime gives the enqueued time in UTC without saying so."""
    partition = (event.metadata or {})["PartitionContext"]["PartitionId"]
    if event.sequence_number is None or event.enqueued_time is None:
        raise ValueError("the trigger gave an event without its sequence number and time in the hub")
    return HubEvent(partition, event.sequence_number, event.enqueued_time.replace(tzinfo=UTC), event.get_body())
