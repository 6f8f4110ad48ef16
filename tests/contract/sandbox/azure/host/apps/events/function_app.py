"""Event Hub functions: batches, one by one, retries."""

# ruff: noqa: UP006, UP035 -- the runtime takes typing.List and refuses list

from collections.abc import Mapping
from typing import Any, List

import azure.functions as func
import probe

app = func.FunctionApp()


def metadata(event: func.EventHubEvent) -> Mapping[str, Any]:
    """Its trigger's metadata, which it always has."""
    assert event.metadata is not None
    return event.metadata


@app.event_hub_message_trigger(
    arg_name="events", event_hub_name="%HUB%", connection="EventHubs", cardinality="many", consumer_group="readers"
)
def sink(events: List[func.EventHubEvent]) -> None:
    probe.record(
        "sink",
        partition=metadata(events[0])["PartitionContext"]["PartitionId"],
        context=metadata(events[0])["PartitionContext"],
        items=[
            {
                "body": event.get_body().decode(),
                "sequence": event.sequence_number,
                "offset": event.offset,
                "key": event.partition_key,
                "enqueued": event.enqueued_time,
                "properties": metadata(event)["PropertiesArray"][index],
            }
            for index, event in enumerate(events)
        ],
    )


@app.event_hub_message_trigger(
    arg_name="event", event_hub_name="singles", connection="EventHubs", cardinality="one", consumer_group="readers"
)
async def one(event: func.EventHubEvent) -> None:
    probe.record("one", body=event.get_body().decode(), sequence=event.sequence_number, key=event.partition_key)


@app.event_hub_message_trigger(
    arg_name="events",
    event_hub_name="failures",
    connection="EventHubs",
    cardinality="many",
    consumer_group="readers",
    data_type=func.DataType.BINARY,
)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:01")
def failing(events: List[func.EventHubEvent], context: func.Context) -> None:
    retry = context.retry_context
    probe.record(
        "failing",
        bodies=[event.get_body().decode() for event in events],
        retry=retry.retry_count,
        limit=retry.max_retry_count,
    )
    raise RuntimeError("always")
