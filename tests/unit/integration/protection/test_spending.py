"""What instances have sent is added up, for people to look at."""

import asyncio

from integration.protection import Budget, Instances, MemoryState, Spending
from tests.unit.integration.transport.parts import ManualClock


async def test_instances_say_what_they_have_sent_and_it_is_added_up(shared: MemoryState, clock: ManualClock) -> None:
    spending = Spending(shared, clock)
    for number in (100, 20):
        instance = Instances(shared, clock, draw=lambda: 0.0)
        instance.counts("dataverse", lambda number=number: number)  # type: ignore[misc] # the number of this turn
        instance.counts("erp", lambda: 0)
        instance.count()
        await asyncio.sleep(0.05)
    assert await spending.now() == {"dataverse": 120}


async def test_an_instance_that_has_ended_is_forgotten(shared: MemoryState, clock: ManualClock) -> None:
    spending = Spending(shared, clock)
    await spending.report("one", {"dataverse": 5}, pause=lambda: 0.0)
    clock.elapsed = 181
    assert await spending.now() == {}


async def test_one_that_sends_nothing_writes_nothing(shared: MemoryState, clock: ManualClock) -> None:
    instance = Instances(shared, clock, draw=lambda: 0.0)
    instance.counts("dataverse", lambda: 0)
    instance.count()
    await asyncio.sleep(0.05)
    assert await shared.read("spending") == (None, None)


def test_a_budget_knows_what_was_taken_in_its_window() -> None:
    budget = Budget(10, window=300)
    for at in (0.0, 0.0, 200.0):
        budget.spend(at)
    assert (budget.spent(200.0), budget.spent(320.0), budget.spent(600.0)) == (3, 1, 0)
