"""What every reader of settled events has in common: spans in the traces of its events, and its lag."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation
from unittest.mock import Mock

import azure.functions as func
import pytest

from integration.analytics.hub_trigger import on_settled_events
from integration.events.trace_state import MARK, marked
from integration.ledger import State
from integration.telemetry import metrics, spans
from integration.telemetry.spans import Span
from integration.worker.settled import encoded, settled_document
from tests.builders import event

SAMPLED = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    found: list[Span] = []

    def export(recorded: Sequence[Span]) -> None:
        found.extend(recorded)

    spans.switch_on(spans.Switch(export))
    metrics.switch_on()
    yield found
    spans.switch_on(None)
    metrics.switch_on(counting=False)


def settled(traceparent: str | None, waited: float = 2.0) -> func.EventHubEvent:
    body = b"{}" if traceparent is None else b'{"id":"e1","traceparent":"%b"}' % traceparent.encode()
    enqueued = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=waited)  # as the runtime gives it
    return Mock(func.EventHubEvent, get_body=lambda: body, enqueued_time=enqueued)


def bound(function: Any) -> Any:
    bp = func.Blueprint()
    decorated = on_settled_events(bp, hub="settled", consumer_group="g", reader=function.__name__)(function)
    return decorated._function.get_user_function()


async def reads(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
    if not events:
        raise ValueError("no events")


async def fails(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
    raise OSError(len(events))


def test_each_sampled_event_of_a_batch_gets_a_span_in_its_own_trace(exported: list[Span]) -> None:
    function = bound(reads)
    assert asyncio.iscoroutinefunction(function)
    asyncio.run(function([settled(SAMPLED), settled(SAMPLED[:-2] + "00"), settled(None)]))
    (span,) = exported
    assert (span.name, span.context.trace_id, span.parent_id) == ("process settled", "a" * 32, "b" * 16)
    assert (span.attributes["integration.sink"], span.error) == ("reads", "")


def test_a_reader_that_fails_says_so_in_the_span_and_raises(exported: list[Span]) -> None:
    with pytest.raises(OSError, match="1"):
        asyncio.run(bound(fails)([settled(SAMPLED)]))
    assert exported[0].error == "OSError"


def test_the_lag_of_a_reader_is_how_long_the_first_event_of_its_batch_has_waited(exported: list[Span]) -> None:
    asyncio.run(bound(reads)([settled(None, waited=60.0), settled(None)]))
    (lag,) = [value for value, by in metrics.LAG.observed() if by == {"integration.sink": "reads"}]
    assert 60 <= lag < 70


def detailed(until: datetime, **changed: Any) -> func.EventHubEvent:
    """What the worker has published of an event that debug detail is on for."""
    about = replace(event(), traceparent=SAMPLED, tracestate=marked("rojo=1", until), **changed)
    body = encoded(settled_document(about, State.COMPLETED, at=about.accepted_time))
    return Mock(func.EventHubEvent, get_body=lambda: body, enqueued_time=None, sequence_number=7)


@pytest.mark.parametrize(("function", "outcome"), [(reads, "taken"), (fails, "failed")])
def test_what_became_of_an_event_is_logged_while_debug_detail_of_it_is_on(
    caplog: pytest.LogCaptureFixture, function: Any, outcome: str
) -> None:
    now = datetime.now(UTC)
    odd = Mock(func.EventHubEvent, get_body=lambda: MARK + b"99999999999", enqueued_time=None)
    others = [settled(SAMPLED), odd, detailed(now - timedelta(seconds=2), event_id="over")]
    with caplog.at_level("INFO"), suppress(OSError):
        asyncio.run(bound(function)([*others, detailed(now + timedelta(hours=1), event_id="wanted")]))
    (found,) = [json.loads(it.getMessage()) for it in caplog.records if "debug-" in it.getMessage()]
    assert (found["what"], found["eventId"], found["outcome"]) == ("debug-delivered", "wanted", outcome)
    assert (found["sink"], found["sequenceNumber"], found["count"]) == (function.__name__, 7, 4)
