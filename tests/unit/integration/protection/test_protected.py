"""A sender with breaker, places and budget around it."""

import asyncio
import time

import pytest

from integration.clock import SystemClock
from integration.errors import Outage, Paused, Throttled, Transient
from integration.protection import BreakerPolicy, Instances, MemoryState, Protected, Switch
from integration.systems.rest import rest_failure
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Request, Response
from tests.unit.integration.transport.parts import ManualClock

REQUEST = Request("erp", "look", "GET", "https://erp.example/")


class Wire:
    """A sender whose answers the test gives; `most` is how many were under way at once."""

    def __init__(self) -> None:
        self.sent = self.under_way = self.most = 0
        self.status, self.body, self.headers = 200, b"{}", {"content-type": "application/json"}
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(
        self, request: Request, *, authorizer: Authorizer | None = None, context: CallContext = NO_CONTEXT
    ) -> Response:
        self.sent += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        return Response(request, self.status, self.headers, self.body, None)


def protected(wire: Wire, clock: ManualClock | SystemClock, *, concurrency: int = 4, **more: object) -> Protected:
    switch = Switch("erp", MemoryState(), clock, full=concurrency, policy=BreakerPolicy(outages=3), draw=lambda: 0.0)
    return Protected(wire, switch, concurrency=concurrency, failure_of=rest_failure, clock=clock, **more)  # type: ignore[arg-type]


async def until_idle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_answer_comes_back_as_it_is(clock: ManualClock) -> None:
    wire = Wire()
    wire.status = 404
    assert (await protected(wire, clock).send(REQUEST)).status == 404


async def test_no_more_calls_are_under_way_than_it_says(clock: ManualClock) -> None:
    wire = Wire()
    wire.gate.clear()
    one = protected(wire, clock)
    calls = [asyncio.ensure_future(one.send(REQUEST)) for _ in range(20)]
    await until_idle()
    assert wire.under_way == 4
    wire.gate.set()
    assert all(answer.ok for answer in await asyncio.gather(*calls))
    assert (wire.sent, wire.most) == (20, 4)


@pytest.mark.parametrize("answer", ["an error", "a page", "a 404 of a gateway"])
async def test_outages_in_any_form_open_the_breaker(clock: ManualClock, answer: str) -> None:
    """No connection, a page under 200, a status that somebody else gave: then nothing is sent any more."""
    wire = Wire()
    if answer == "an error":
        wire.error = Outage("no connection", reason="erp-unreachable")
    else:
        wire.status, wire.body, wire.headers = (
            200 if answer == "a page" else 404,
            b"<html>",
            {"content-type": "text/html"},
        )
    one = protected(wire, clock)
    results = await asyncio.gather(*[one.send(REQUEST) for _ in range(3)], return_exceptions=True)
    assert not any(isinstance(result, Paused) for result in results)
    with pytest.raises(Paused):
        await one.send(REQUEST)
    assert wire.sent == 3


async def test_who_waited_for_a_place_does_not_send_into_an_outage(clock: ManualClock) -> None:
    wire = Wire()
    wire.gate.clear()
    wire.error = Outage("no connection", reason="erp-unreachable")
    one = protected(wire, clock)
    calls = [asyncio.ensure_future(one.send(REQUEST)) for _ in range(20)]
    await until_idle()
    wire.gate.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, Paused) for result in results) == 16
    assert wire.sent == 4


async def test_a_place_is_not_waited_for_beyond_the_events_time() -> None:
    wire, clock = Wire(), SystemClock()
    wire.gate.clear()
    one = protected(wire, clock, concurrency=1)
    first = asyncio.ensure_future(one.send(REQUEST))
    await until_idle()
    with pytest.raises(Transient) as raised:
        await one.send(REQUEST, context=CallContext(deadline=clock.monotonic() + 0.05))
    assert raised.value.reason == "deadline-exceeded"
    wire.gate.set()
    assert (await first).ok
    assert (await one.send(REQUEST)).ok


async def test_a_call_that_is_cancelled_gives_its_place_back(clock: ManualClock) -> None:
    wire = Wire()
    wire.gate.clear()
    one = protected(wire, clock, concurrency=1)
    call = asyncio.ensure_future(one.send(REQUEST))
    await until_idle()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    wire.gate.set()
    assert (await asyncio.wait_for(one.send(REQUEST), 1)).ok


async def test_what_a_process_may_send_is_its_share(clock: ManualClock) -> None:
    """Past it nothing is sent, and the error says when there will be room."""
    wire = Wire()
    one = protected(wire, clock, requests=3)
    for _ in range(3):
        await one.send(REQUEST)
    with pytest.raises(Paused) as raised:
        await one.send(REQUEST)
    assert raised.value.reason == "erp-budget-spent"
    assert 290 < (raised.value.retry_after or 0) <= 310
    assert wire.sent == 3
    clock.elapsed = 311
    assert (await one.send(REQUEST)).ok


async def one_of_two(clock: ManualClock) -> Instances:
    """An instance that knows of another one."""
    shared = MemoryState()
    two = [Instances(shared, clock, draw=lambda: 0.0) for _ in range(2)]
    for _ in range(2):
        for instance in two:
            instance.count()
            await asyncio.sleep(0.01)
        clock.elapsed += 60
    return two[0]


async def test_instances_share_requests_and_what_the_system_recommends(clock: ManualClock) -> None:
    """Two instances, a budget of six, and a system that recommends four calls at once: three, and two."""
    wire = Wire()
    wire.headers = {**wire.headers, "x-ms-dop-hint": "4"}
    one = protected(wire, clock, concurrency=8, requests=6, instances=await one_of_two(clock))
    await one.send(REQUEST)
    wire.gate.clear()
    calls = [asyncio.ensure_future(one.send(REQUEST)) for _ in range(3)]
    await until_idle()
    assert wire.under_way == 2
    wire.gate.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [isinstance(result, Paused) for result in results] == [False, False, True]


async def test_instances_share_the_calls_at_once_that_a_user_of_the_system_has(clock: ManualClock) -> None:
    """Business Central lets a user have five at once: with two instances each has two, without a word of the system."""
    wire = Wire()
    one = protected(wire, clock, concurrency=8, in_all=5, instances=await one_of_two(clock))
    wire.gate.clear()
    calls = [asyncio.ensure_future(one.send(REQUEST)) for _ in range(4)]
    await until_idle()
    assert wire.under_way == 2
    wire.gate.set()
    await asyncio.gather(*calls)
    assert wire.sent == 4


@pytest.mark.parametrize("hint", ["", "many", "-3", "9" * 30])
async def test_a_recommendation_that_is_none_changes_nothing(clock: ManualClock, hint: str) -> None:
    wire = Wire()
    wire.headers = {**wire.headers, "x-ms-dop-hint": hint}
    one = protected(wire, clock, instances=Instances(MemoryState(), clock))
    for _ in range(2):
        assert (await one.send(REQUEST)).ok


async def test_a_pause_that_was_asked_for_is_kept_by_all_calls(clock: ManualClock) -> None:
    wire = Wire()
    one = protected(wire, clock)
    wire.error = Throttled("wait", reason="erp-throttled", retry_after=30)
    with pytest.raises(Throttled):
        await one.send(REQUEST)
    clock.elapsed = 29
    with pytest.raises(Throttled):
        await one.send(REQUEST)
    assert wire.sent == 1
    wire.error, clock.elapsed = None, 30.1
    assert (await one.send(REQUEST)).ok


async def test_protection_costs_next_to_nothing() -> None:
    """Every call pays for it: a tenth of what the call itself costs at most, with room for a slow machine."""
    wire, clock = Wire(), SystemClock()
    one = protected(wire, clock, requests=1_000_000, instances=Instances(MemoryState(), clock))
    started = time.process_time()
    for _ in range(2000):
        await one.send(REQUEST)
    assert (time.process_time() - started) / 2000 < 0.0002
