"""What the sweep removes of the contents that are kept for events, and what it leaves."""

import pytest

from integration.claim_check import ClaimSweep
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.worker import DeadLettered
from tests.memory_table import World
from tests.unit.integration.claim_check.test_claim_check import large, sent


def sweep(world: World) -> ClaimSweep:
    return ClaimSweep(world.contents, world.ledger, world.clock, months=13)


def days_pass(world: World, days: float) -> None:
    world.contents.written = world.clock.now()
    world.clock.advance(days * 86_400)


async def left_behind(world: World) -> IntegrationEvent:
    """An event that has ended while its contents could not be removed."""
    fitted = await sent(world, large())
    blobs = dict(world.contents.blobs)
    await world.handle(fitted)
    world.contents.blobs = blobs
    await world.ledger.close()
    return fitted


async def test_what_an_ended_event_has_left_behind_is_removed_after_a_day() -> None:
    """Whoever ends an event removes it at once: the sweep does not come between."""
    world = World.make()
    await left_behind(world)

    days_pass(world, 0.5)
    assert await sweep(world).run() == 0
    days_pass(world, 1.5)
    assert await sweep(world).run() == 1
    assert world.contents.blobs == {}


@pytest.mark.parametrize(
    "error", [Transient("away", reason="erp-unavailable"), Permanent("refused", reason="erp-rejected")]
)
async def test_what_an_event_that_waits_or_is_dead_lettered_needs_is_kept(error: Exception) -> None:
    world = World.make()
    fitted = await sent(world, large())
    world.handler.script.append(error)
    await world.ledger.accept(fitted, urgent=True)
    try:
        await world.handle(fitted)
    except DeadLettered:
        assert isinstance(error, Permanent)
    await world.ledger.close()

    days_pass(world, 100)

    assert await sweep(world).run() == 0
    assert len(world.contents.blobs) == 1


async def test_what_belongs_to_no_message_is_removed_after_sixteen_days() -> None:
    """The intake died between keeping it and sending: longer than that no message lives in the queue."""
    world = World.make()
    await sent(world, large())

    days_pass(world, 15)
    assert await sweep(world).run() == 0
    days_pass(world, 17)
    assert await sweep(world).run() == 1


async def test_what_the_ledger_has_forgotten_is_removed() -> None:
    """A dead letter of a year ago that nobody has looked at."""
    world = World.make()
    fitted = await sent(world, large())
    world.handler.script.append(Permanent("refused", reason="erp-rejected"))
    await world.ledger.accept(fitted, urgent=True)
    with pytest.raises(DeadLettered):
        await world.handle(fitted)
    await world.ledger.close()

    days_pass(world, 500)

    assert await sweep(world).run() == 1


async def test_a_sweep_whose_time_is_over_goes_on_the_next_night() -> None:
    world = World.make()
    await left_behind(world)
    days_pass(world, 2)
    busy = ClaimSweep(world.contents, world.ledger, world.clock, months=13, run_seconds=-1.0)

    assert await busy.run() == 0
    assert await sweep(world).run() == 1
