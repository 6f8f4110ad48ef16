"""How many instances share a budget."""

import asyncio

from integration.errors import Transient
from integration.protection import Instances, MemoryState
from tests.unit.integration.transport.parts import ManualClock


async def counted(*instances: Instances) -> list[int]:
    """What each says once the signs of life are written."""
    for instance in instances:
        instance.count()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
    return [instance.count() for instance in instances]


def fleet(shared: MemoryState, clock: ManualClock, size: int) -> list[Instances]:
    return [Instances(shared, clock, draw=lambda: 0.0) for _ in range(size)]


async def test_one_that_is_alone_has_all(shared: MemoryState, clock: ManualClock) -> None:
    assert await counted(*fleet(shared, clock, 1)) == [1]


async def test_all_that_are_at_work_are_counted(shared: MemoryState, clock: ManualClock) -> None:
    """Also when they sign at the same moment: nobody's sign is lost."""
    three = fleet(shared, clock, 3)
    await counted(*three)
    clock.elapsed = 61
    assert await counted(*three) == [3, 3, 3]


async def test_one_that_is_silent_is_forgotten(shared: MemoryState, clock: ManualClock) -> None:
    first, second = fleet(shared, clock, 2)
    await counted(first, second)
    for clock.elapsed in (100, 200, 300):
        await counted(first)
    assert await counted(first) == [1]


async def test_those_that_start_together_know_of_each_other_after_moments(
    shared: MemoryState, clock: ManualClock
) -> None:
    """The first to sign sees nobody yet: a minute alone with the whole budget would be too long."""
    four = fleet(shared, clock, 4)
    await counted(*four)
    clock.elapsed = 1.5
    assert await counted(*four) == [4, 4, 4, 4]


async def test_the_document_is_written_ever_more_rarely(shared: MemoryState, clock: ManualClock) -> None:
    """Seven times in the first minute, and then once a minute, of which the draw here leaves two thirds."""
    (one,) = fleet(shared, clock, 1)
    for clock.elapsed in range(60):
        await counted(one)
    first = int((await shared.read("instances"))[1] or 0)
    for clock.elapsed in range(60, 300):
        await counted(one)
    assert (first, int((await shared.read("instances"))[1] or 0) - first) == (7, 6)


async def test_the_last_known_number_holds_while_the_store_is_away(shared: MemoryState, clock: ManualClock) -> None:
    class Away(MemoryState):
        async def read(self, key: str) -> tuple[None, None]:
            raise Transient(f"no {key} today")

    two = fleet(shared, clock, 2)
    await counted(*two)
    clock.elapsed = 61
    assert await counted(*two) == [2, 2]
    for one in two:
        one._shared = Away()
    clock.elapsed = 500
    assert await counted(*two) == [2, 2]
