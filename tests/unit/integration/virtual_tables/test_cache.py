"""An answer is given again while it is fresh, and never after a write."""

import asyncio

import pytest

from integration.errors import Outage
from integration.virtual_tables.cache import Cache
from tests.memory_table import ManualClock


async def test_an_answer_is_fetched_once_while_it_is_fresh() -> None:
    clock, asked = ManualClock(), 0
    cache = Cache(clock)

    async def ask() -> int:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return asked

    assert await asyncio.gather(*(cache.get("a", "set", 10, ask) for _ in range(5))) == [1] * 5
    clock.advance(9)
    assert await cache.get("a", "set", 10, ask) == 1
    clock.advance(2)
    assert await cache.get("a", "set", 10, ask) == 2
    cache.forget("other")
    assert await cache.get("a", "set", 10, ask) == 2
    cache.forget("set")
    assert await cache.get("a", "set", 10, ask) == 3


async def test_an_error_is_not_kept() -> None:
    cache, answers = Cache(ManualClock()), iter((Outage("away"), 5))

    async def ask() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return int(str(answer))

    with pytest.raises(Outage):
        await cache.get("a", "set", 10, ask)
    assert await cache.get("a", "set", 10, ask) == 5


async def test_one_who_stops_waiting_does_not_stop_the_others() -> None:
    cache, go_on = Cache(ManualClock()), asyncio.Event()

    async def ask() -> int:
        await go_on.wait()
        return 1

    impatient = asyncio.ensure_future(cache.get("a", "set", 10, ask))
    patient = asyncio.ensure_future(cache.get("a", "set", 10, ask))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await patient == 1
