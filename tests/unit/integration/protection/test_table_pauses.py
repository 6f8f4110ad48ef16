"""The pauses of tables as several instances share them."""

import asyncio
from contextlib import suppress

import pytest

from integration.errors import Outage, Paused
from integration.protection import MemoryState, TablePauses
from integration.protection.shared_state import Document
from tests.unit.integration.protection.parts import Store
from tests.unit.integration.transport.parts import ManualClock


async def test_a_paused_table_is_held_back_on_each_instance_within_two_seconds(
    shared: Store, clock: ManualClock
) -> None:
    first, second = TablePauses(shared, clock), TablePauses(shared, clock)
    await second.check("account")
    await first.pause("account", by="anna", why="the ERP is moved")
    with pytest.raises(Paused, match="anna has paused account: the ERP is moved") as raised:
        await first.check("account")
    assert (raised.value.reason, raised.value.service, raised.value.retry_after) == ("table-paused", None, None)
    await first.check("contact")

    clock.elapsed += 1.9
    await second.check("account")
    clock.elapsed += 0.1
    with pytest.raises(Paused):
        await second.check("account")
    await second.resume("account")
    await second.check("account")
    assert await first.paused() == {}


async def test_it_is_read_every_other_second_at_most(shared: Store, clock: ManualClock) -> None:
    one = TablePauses(shared, clock)
    for _ in range(100):
        await one.check("account")
        await asyncio.sleep(0)
        clock.elapsed += 0.1
    assert shared.reads == 5


async def test_two_people_may_pause_two_tables_at_once(clock: ManualClock) -> None:
    class Slow(MemoryState):
        async def read(self, key: str) -> tuple[Document | None, str | None]:
            found = await super().read(key)
            await asyncio.sleep(0)
            return found

    shared = Slow()
    await asyncio.gather(*(TablePauses(shared, clock).pause(name, by="x", why="x") for name in ("account", "contact")))
    assert (await TablePauses(shared, clock).paused()).keys() == {"account", "contact"}


async def test_what_was_read_last_holds_while_the_store_is_away(shared: Store, clock: ManualClock) -> None:
    one = TablePauses(shared, clock)
    await one.pause("account", by="anna", why="x")
    await one.check("contact")
    shared.away = True
    clock.elapsed += 60
    with pytest.raises(Paused):
        await one.check("account")
    await one.check("contact")


async def test_an_instance_that_has_never_read_it_lets_nothing_through(shared: Store, clock: ManualClock) -> None:
    """It may have been started while the tables were away; that is no event's fault."""
    one = TablePauses(shared, clock)
    shared.away = True
    with pytest.raises(Outage, match="could not be read"):
        await one.check("account")
    shared.away = False
    clock.elapsed += 2
    await one.check("account")


async def test_a_read_that_began_before_a_pause_does_not_undo_it(shared: Store, clock: ManualClock) -> None:
    one = TablePauses(shared, clock)
    await one.check("account")
    clock.elapsed += 3
    shared.gate.clear()
    checking = asyncio.ensure_future(one.check("account"))  # starts a read, which hangs with the old answer
    await asyncio.sleep(0.01)
    await asyncio.gather(one.pause("account", by="anna", why="x"), _opened(shared))
    with suppress(Paused):
        await checking
    with pytest.raises(Paused):
        await one.check("account")


async def _opened(shared: Store) -> None:
    shared.gate.set()
