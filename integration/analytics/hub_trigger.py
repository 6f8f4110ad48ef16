"""The Event Hub trigger of what reads settled events: each reader has a consumer group, and none waits for another."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import azure.functions as func

from integration.telemetry import metrics, recordings, spans


def on_settled_events(
    bp: func.Blueprint, *, hub: str, consumer_group: str, reader: str
) -> Callable[[Callable[..., Any]], Any]:
    """Decorates a function that takes `events`, a batch of one partition, for the `reader` of this name.

    The Functions host moves the checkpoint on even if the function failed. So a batch that could not be dealt with is
    retried in place, without end and with growing pauses: its partition waits, and nothing is lost.

    Each event that is sampled gets a span for it, and the time that the first one has waited is a metric.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        retried = bp.retry(
            strategy="exponential_backoff",
            max_retry_count="-1",
            minimum_interval="00:00:01",
            maximum_interval="00:01:00",
        )(_observed(function, hub, reader))
        return bp.event_hub_message_trigger(
            arg_name="events",
            event_hub_name=hub,
            connection="EventHubs",
            consumer_group=consumer_group,
            cardinality=func.Cardinality.MANY,
            data_type=func.DataType.BINARY,
        )(retried)

    return decorate


def _observed(function: Callable[..., Any], hub: str, reader: str) -> Callable[..., Any]:
    """The function, with a span for each event and the lag of the reader."""

    @wraps(function)
    async def taken(events: Sequence[func.EventHubEvent]) -> None:
        with _taking(events, hub, reader):
            await function(events)

    return taken


@contextmanager
def _taking(events: Sequence[func.EventHubEvent], hub: str, reader: str) -> Iterator[None]:
    recorded = recordings.of_batch((event.get_body() for event in events), hub, reader)
    error = ""
    try:
        yield
    except Exception as raised:
        error = spans.reason_of(raised)
        raise
    finally:
        if events and (enqueued := events[0].enqueued_time) is not None:
            waited = datetime.now(UTC) - enqueued.replace(tzinfo=UTC)
            metrics.LAG.set(waited.total_seconds(), reader)
        for recording in recorded:
            recording.end(error)
