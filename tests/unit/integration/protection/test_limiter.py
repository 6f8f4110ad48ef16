"""Places for calls under way."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.protection import Limiter


async def until_idle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_only_so_many_are_in_and_the_others_follow_in_order() -> None:
    limiter, order = Limiter(2), []

    async def call(number: int) -> None:
        await limiter.enter()
        order.append(number)

    calls = [asyncio.ensure_future(call(number)) for number in range(5)]
    await until_idle()
    assert order == [0, 1]
    limiter.leave()
    await until_idle()
    assert order == [0, 1, 2]
    limiter.set_limit(4)
    await until_idle()
    assert order == [0, 1, 2, 3, 4]
    await asyncio.gather(*calls)


async def test_nobody_overtakes_who_waits() -> None:
    limiter = Limiter(1)
    assert limiter.try_enter()
    waiting = asyncio.ensure_future(limiter.enter())
    await until_idle()
    limiter.leave()
    assert not limiter.try_enter()
    await waiting


async def test_a_smaller_limit_leaves_in_who_is_in() -> None:
    limiter = Limiter(3)
    assert [limiter.try_enter() for _ in range(3)] == [True] * 3
    limiter.set_limit(0)
    limiter.leave()
    limiter.leave()
    assert not limiter.try_enter()
    limiter.leave()
    assert limiter.try_enter()


@pytest.mark.parametrize("let_in_first", [False, True])
async def test_who_gives_up_waiting_takes_no_place(let_in_first: bool) -> None:
    """Also when a place had just been given to it."""
    limiter = Limiter(1)
    limiter.try_enter()
    waiting = asyncio.ensure_future(limiter.enter())
    await until_idle()
    if let_in_first:
        limiter.leave()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    if not let_in_first:
        limiter.leave()
    assert (limiter.running, limiter.try_enter()) == (0, True)


@given(st.integers(1, 4), st.lists(st.tuples(st.sampled_from(["call", "end", "give up", "limit"]), st.integers(0, 9))))
def test_never_more_than_the_limit_and_no_place_is_lost(limit: int, steps: list[tuple[str, int]]) -> None:
    async def run() -> None:
        nonlocal limit
        limiter, calls = Limiter(limit), list[asyncio.Task[None]]()
        for step, number in steps:
            inside = [call for call in calls if call.done() and not call.cancelled()]
            waiting = [call for call in calls if not call.done()]
            if step == "call":
                calls.append(asyncio.ensure_future(limiter.enter()))
            elif step == "end" and inside:
                calls.remove(inside[number % len(inside)])
                limiter.leave()
            elif step == "give up" and waiting:
                waiting[number % len(waiting)].cancel()
            elif step == "limit" and number > 0:
                limit = number
                limiter.set_limit(limit)
            before = limiter.running
            await until_idle()
            inside = [call for call in calls if call.done() and not call.cancelled()]
            waiting = [call for call in calls if not call.done()]
            assert limiter.running == len(inside) <= max(limit, before)
            assert not waiting or limiter.running >= limit
        for call in calls:
            call.cancel()

    asyncio.run(run())
