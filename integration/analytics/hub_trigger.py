"""The Event Hub trigger of what reads settled events: each reader has a consumer group, and none waits for another."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import azure.functions as func

from integration.events.trace_state import MARK, detail_until
from integration.telemetry import get_logger, metrics, recordings, spans

_log = get_logger(__name__)


def on_settled_events(
    bp: func.Blueprint, *, hub: str, consumer_group: str, reader: str
) -> Callable[[Callable[..., Any]], Any]:
    """Decorates a function that takes `events`, a batch of one partition, for the `reader` of this name.

    The Functions host moves the checkpoint on even if the function failed. So a batch that could not be dealt with is
    retried in place, without end and with growing pauses: its partition waits, and nothing is lost.

    Each event that is sampled gets a span for it, and the time that the first one has waited is a metric. Of an
    event that debug detail is on for, what became of it is logged: its document says until when that is.
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
    bodies = [event.get_body() for event in events]
    recorded = recordings.of_batch(bodies, hub, reader)
    began, error = time.monotonic(), ""
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
        for event, body in zip(events, bodies, strict=True):
            if MARK in body and (ended := _detailed(body)) is not None:
                _log.debug(
                    "debug-delivered",
                    event=ended,
                    sink=reader,
                    sequence_number=event.sequence_number or 0,
                    count=len(events),
                    outcome="failed" if error else "taken",
                    reason=error or None,
                    duration_ms=(time.monotonic() - began) * 1000,
                )


@dataclass(frozen=True, slots=True)
class _Ended:
    """An event that has ended, as log records name it."""

    event_id: str
    correlation_id: str
    table: str
    record_id: str | None
    message: str
    attempt: int


def _detailed(body: bytes) -> _Ended | None:
    """The event of a document whose debug detail is not over."""
    try:
        document = json.loads(body)
        until, data = detail_until(document["tracestate"]), document["data"]
        if until is None or until <= datetime.now(UTC):
            return None
        names = ("eventId", "correlationId", "table", "recordId", "message", "attempts")
        return _Ended(*(data[name] for name in names))
    except (ValueError, TypeError, LookupError, RecursionError):
        return None  # it is none of ours
