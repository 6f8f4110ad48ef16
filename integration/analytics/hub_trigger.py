"""The Event Hub trigger of what reads settled events: each reader has a consumer group, and none waits for another."""

from collections.abc import Callable
from typing import Any

import azure.functions as func


def on_settled_events(bp: func.Blueprint, *, hub: str, consumer_group: str) -> Callable[[Callable[..., Any]], Any]:
    """Decorates a function that takes `events`, a batch of one partition.

    The Functions host moves the checkpoint on even if the function failed. So a batch that could not be dealt with is
    retried in place, without end and with growing pauses: its partition waits, and nothing is lost.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        retried = bp.retry(
            strategy="exponential_backoff",
            max_retry_count="-1",
            minimum_interval="00:00:01",
            maximum_interval="00:01:00",
        )(function)
        return bp.event_hub_message_trigger(
            arg_name="events",
            event_hub_name=hub,
            connection="EventHubs",
            consumer_group=consumer_group,
            cardinality=func.Cardinality.MANY,
            data_type=func.DataType.BINARY,
        )(retried)

    return decorate
