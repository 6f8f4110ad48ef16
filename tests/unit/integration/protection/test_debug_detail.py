"""Of which correlation ids people want debug detail, as several instances share it."""

import asyncio
from datetime import timedelta

import pytest

from integration.errors import Rejected
from integration.protection import DebugDetail, TablePauses
from integration.protection.debug_detail import MOST
from tests.unit.integration.protection.parts import Store
from tests.unit.integration.transport.parts import ManualClock

HOUR = timedelta(hours=1)


def instance(shared: Store, clock: ManualClock) -> tuple[DebugDetail, TablePauses]:
    """What one instance has: both know one document."""
    pauses = TablePauses(shared, clock)
    return DebugDetail(pauses.document, clock), pauses


async def turned_on(detail: DebugDetail, clock: ManualClock, about: str = "c-1", lasts: timedelta = HOUR) -> None:
    await detail.turn_on(about, clock.now() + lasts, by="anna", why="why is it slow?")


async def test_other_instances_learn_of_it_with_the_pauses_of_tables_and_without_a_read_of_its_own(
    shared: Store, clock: ManualClock
) -> None:
    (detail, _), (other, pauses) = instance(shared, clock), instance(shared, clock)
    await pauses.check("account")
    await turned_on(detail, clock)
    assert detail.until("c-1") == clock.now() + HOUR
    assert detail.until("c-2") is other.until("c-1") is None
    clock.elapsed += 2
    reads = shared.reads
    await other.keep_up()
    await pauses.check("account")
    assert other.until("c-1") is not None
    assert shared.reads == reads + 1
    assert await pauses.paused() == {}


async def test_it_ends_by_itself_also_where_nothing_is_read_any_more(shared: Store, clock: ManualClock) -> None:
    detail, _ = instance(shared, clock)
    await turned_on(detail, clock)
    shared.away = True
    clock.elapsed += HOUR.total_seconds() - 1
    await detail.keep_up()
    assert detail.until("c-1") is not None
    clock.elapsed += 1
    assert detail.until("c-1") is None
    shared.away = False
    assert await detail.running() == {}


async def test_it_is_turned_off_and_pauses_stay(shared: Store, clock: ManualClock) -> None:
    detail, pauses = instance(shared, clock)
    await pauses.pause("account", by="anna", why="x")
    await turned_on(detail, clock)
    (entry,) = (await detail.running()).values()
    assert (entry.by, entry.why, entry.until - entry.since) == ("anna", "why is it slow?", HOUR)
    assert await detail.turn_off("c-1")
    assert not await detail.turn_off("c-1")
    assert detail.until("c-1") is None
    assert (await pauses.paused()).keys() == {"account"}


async def test_there_are_not_too_many_at_once(shared: Store, clock: ManualClock) -> None:
    """Another end for one of them is no more; those that have ended do not count."""
    detail, _ = instance(shared, clock)
    for number in range(MOST):
        await turned_on(detail, clock, f"c-{number}")
    await turned_on(detail, clock, "c-0", HOUR * 2)
    with pytest.raises(Rejected, match="already"):
        await turned_on(detail, clock, "one-more")
    clock.elapsed += HOUR.total_seconds()
    await turned_on(detail, clock, "one-more")
    assert (await detail.running()).keys() == {"c-0", "one-more"}


async def test_who_cannot_wait_goes_on_while_it_is_read(shared: Store, clock: ManualClock) -> None:
    """The intake: what it missed at first it learns of when the tables have answered."""
    (detail, _), (intake, _) = instance(shared, clock), instance(shared, clock)
    await turned_on(detail, clock)
    shared.gate.clear()
    looking = intake.look()
    assert looking is not None
    assert intake.until("c-1") is None
    shared.gate.set()
    await asyncio.wait_for(looking, 5)
    assert intake.until("c-1") is not None
    assert intake.look() is None


async def test_tables_that_are_away_make_nothing_fail(shared: Store, clock: ManualClock) -> None:
    detail, _ = instance(shared, clock)
    shared.away = True
    await detail.keep_up()
    assert detail.until("c-1") is None
