"""The Event Hub trigger of the archive."""

from datetime import UTC
from typing import List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func

from integration.analytics.sinks.archive import ArchiveSink, HubEvent


def blueprint(archive: ArchiveSink, *, hub: str, consumer_group: str) -> func.Blueprint:
    """Bind the sink to a hub.

    The Functions host moves the checkpoint on even if the function failed. So a batch that could not be written is
    retried in place, without end and with growing pauses: its partition waits, and nothing is lost.
    """
    bp = func.Blueprint()

    @bp.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=hub,
        connection="EventHubs",
        consumer_group=consumer_group,
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    @bp.retry(
        strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:01", maximum_interval="00:01:00"
    )
    def archive_events(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        archive.write([_hub_event(event) for event in events])

    return bp


def _hub_event(event: func.EventHubEvent) -> HubEvent:
    """The runtime gives the enqueued time in UTC without saying so."""
    partition = (event.metadata or {})["PartitionContext"]["PartitionId"]
    if event.sequence_number is None or event.enqueued_time is None:
        raise ValueError("the trigger gave an event without its sequence number and time in the hub")
    return HubEvent(partition, event.sequence_number, event.enqueued_time.replace(tzinfo=UTC), event.get_body())
