"""What an attempt leaves in the trace of its event, sampled or not."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator

import pytest

from integration.errors import Outage, Permanent
from integration.events import IntegrationEvent
from integration.telemetry import metrics, spans
from integration.telemetry.spans import Span
from integration.worker import DeadLettered
from tests.builders import event
from tests.memory_table import World

UNSAMPLED = f"00-{'a' * 32}-{'b' * 16}-00"
SAMPLED = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exported() -> Iterator[list[Span]]:
    found: list[Span] = []
    spans.switch_on(spans.Switch(found.extend))
    metrics.switch_on()
    yield found
    spans.switch_on(None)
    metrics.switch_on(counting=False)


@pytest.fixture
def world() -> World:
    return World.make()


def traced(world: World, traceparent: str) -> IntegrationEvent:
    it = dataclasses.replace(event(), traceparent=traceparent)
    world.put_row(str(it.record_id), "a")
    return it


async def test_an_attempt_that_does_well_has_its_state_and_publishes_under_its_span(
    world: World, exported: list[Span]
) -> None:
    it = traced(world, SAMPLED)
    await world.handle(it)
    attempt, sent = exported
    assert (attempt.name, attempt.parent_id, attempt.error) == ("process work", "b" * 16, "")
    assert attempt.attributes["integration.state"] == "completed"
    assert attempt.attributes["integration.event.id"] == it.event_id
    assert (sent.name, sent.parent_id) == ("send integration-events", attempt.context.span_id)
    assert json.loads(world.hub.published[0])["traceparent"] == str(sent.context)


async def test_of_an_unsampled_event_that_does_well_nothing_is_exported(world: World, exported: list[Span]) -> None:
    await world.handle(traced(world, UNSAMPLED))
    assert exported == []
    assert json.loads(world.hub.published[0])["traceparent"].endswith("-00")


async def test_an_unsampled_event_is_sampled_from_its_first_failure_on(world: World, exported: list[Span]) -> None:
    """The attempt is exported, and the copy continues under it."""
    it = traced(world, UNSAMPLED)
    world.handler.script.append(Outage("away", reason="erp-unavailable", service="erp"))
    await world.handle(it)
    attempt, sent = exported
    assert (attempt.error, attempt.attributes["integration.state"]) == ("erp-unavailable", "waiting")
    ((copy, _),) = world.queue.scheduled
    assert sent.attributes["messaging.message.id"] == copy.message_id
    assert copy.traceparent == f"00-{'a' * 32}-{attempt.context.span_id}-01"
    exported.clear()
    await world.handle(copy)
    assert (exported[0].name, exported[0].parent_id) == ("process work", attempt.context.span_id)


async def test_copies_of_a_sampled_event_stay_beside_each_other(world: World, exported: list[Span]) -> None:
    world.handler.script.append(Outage("away", reason="erp-unavailable", service="erp"))
    await world.handle(traced(world, SAMPLED))
    ((copy, _),) = world.queue.scheduled
    assert copy.traceparent == SAMPLED


async def test_a_dead_letter_says_why_in_its_span_and_is_counted(world: World, exported: list[Span]) -> None:
    before = metrics.SETTLED.values.get(("dead-lettered",), 0)
    world.handler.script.append(Permanent("no", reason="erp-rejected", service="erp"))
    with contextlib.suppress(DeadLettered):
        await world.handle(traced(world, UNSAMPLED))
    attempt = exported[0]
    assert (attempt.error, attempt.attributes["integration.state"]) == ("erp-rejected", "dead-lettered")
    assert metrics.SETTLED.values["dead-lettered",] == before + 1
