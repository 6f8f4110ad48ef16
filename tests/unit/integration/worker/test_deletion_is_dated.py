"""The month in which a row was found deleted is remembered, so that its record can be forgotten later."""

import dataclasses

import pytest

from integration.events import IntegrationEvent, to_envelope
from tests.builders import event
from tests.memory_table import World


@pytest.fixture
def world() -> World:
    return World.make()


def of(it: IntegrationEvent, message: str) -> IntegrationEvent:
    """Another event of the same record."""
    return dataclasses.replace(event(), record_id=it.record_id, message=message)


async def deleted(world: World, it: IntegrationEvent) -> str:
    """Work on the event; the month that its record has then."""
    await world.worker.handle(to_envelope(it))
    return world.ledger.memory(it.session_id).deleted


async def test_a_delete_and_any_event_that_finds_no_row_date_the_deletion(world: World) -> None:
    """The clock stands in November 2026."""
    first, second = dataclasses.replace(event(), message="Delete"), event()
    assert await deleted(world, first) == "202611"
    assert await deleted(world, second) == "202611"


async def test_a_row_that_was_restored_is_not_deleted(world: World) -> None:
    it = dataclasses.replace(event(), message="Delete")
    await deleted(world, it)
    world.put_row(str(it.record_id), "back")
    assert await deleted(world, of(it, "Update")) == ""


async def test_an_event_that_does_not_look_at_the_row_leaves_it_as_it_is(world: World) -> None:
    """Assign changes nothing for the other systems, so the row is not read."""
    it = dataclasses.replace(event(), message="Delete")
    await deleted(world, it)
    assert await deleted(world, of(it, "Assign")) == "202611"
