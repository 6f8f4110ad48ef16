"""The breaker as several instances share it."""

import asyncio

import pytest

from integration.errors import IntegrationError, NotFound, Outage, Paused, Permanent, Throttled, Transient
from integration.protection import Phase, Switch
from integration.protection.switch import Pass
from tests.unit.integration.protection.parts import POLICY, TIMEOUT, Store, call, switch
from tests.unit.integration.transport.parts import ManualClock


async def break_it(one: Switch) -> None:
    for _ in range(POLICY.outages):
        await call(one, TIMEOUT)


async def test_outages_in_a_row_hold_back_all_instances(shared: Store, clock: ManualClock) -> None:
    """Those that saw none of them too, as soon as they read again; with the time that is left and the reason."""
    first, second = switch(shared, clock), switch(shared, clock)
    await call(second)
    await break_it(first)
    with pytest.raises(Paused) as raised:
        await first.admit()
    assert (raised.value.reason, raised.value.service) == ("erp-paused", "erp")
    assert 9 < (raised.value.retry_after or 0) <= 10
    assert "erp-timeout" in str(raised.value)
    clock.elapsed += 3
    await second.admit()
    await asyncio.sleep(0)
    with pytest.raises(Paused):
        await second.admit()


@pytest.mark.parametrize(
    "error",
    [
        Throttled("wait", reason="erp-throttled", retry_after=0.001),
        Outage("no", reason="erp-forbidden"),
        Permanent("no", reason="erp-rejected"),
        NotFound("no", reason="erp-not-found"),
        Transient("no", reason="erp-failed"),
        Transient("no", reason="deadline-exceeded"),
        asyncio.CancelledError(),
        ValueError("a defect of ours"),
    ],
    ids=lambda error: getattr(error, "reason", type(error).__name__),
)
async def test_what_is_no_outage_of_the_system_opens_nothing(
    shared: Store, clock: ManualClock, error: BaseException
) -> None:
    """A refusal is an answer; a pause is asked for; of a call that was given up nobody knows."""
    one = switch(shared, clock)
    for _ in range(50):
        await call(one, error)
        clock.elapsed += 0.1


async def test_one_instance_probes_and_the_others_wait_for_it(shared: Store, clock: ManualClock) -> None:
    three = [switch(shared, clock) for _ in range(3)]
    await break_it(three[0])
    clock.elapsed = 11
    results = await asyncio.gather(*[one.admit() for one in three for _ in range(4)], return_exceptions=True)
    probes = [result for result in results if isinstance(result, Pass)]
    assert [probe.probe for probe in probes] == [True]
    assert all(isinstance(result, Pass | Paused) for result in results)


async def test_a_probe_that_goes_through_lets_calls_back_few_at_first(shared: Store, clock: ManualClock) -> None:
    first, second = switch(shared, clock), switch(shared, clock)
    await break_it(first)
    clock.elapsed = 11
    assert (await call(first)).probe
    limits = []
    for seconds in (0, 5, 10, 15, 20, 25):
        clock.elapsed = 11 + seconds
        limits.append([(await call(one)).limit for one in (first, second)])
    assert limits == [[1, 1], [2, 2], [4, 4], [8, 8], [16, 16], [16, 16]]


async def test_a_probe_that_fails_opens_for_longer(shared: Store, clock: ManualClock) -> None:
    one = switch(shared, clock)
    await break_it(one)
    clock.elapsed = 11
    await call(one, TIMEOUT)
    with pytest.raises(Paused) as raised:
        await one.admit()
    assert 19 < (raised.value.retry_after or 0) <= 20


@pytest.mark.parametrize("error", [asyncio.CancelledError(), Transient("late", reason="deadline-exceeded")])
async def test_a_probe_of_which_nobody_knows_leaves_it_to_the_next(
    shared: Store, clock: ManualClock, error: BaseException
) -> None:
    one = switch(shared, clock)
    await break_it(one)
    clock.elapsed = 11
    await call(one, error)
    assert (await one.admit()).probe


async def test_a_probe_whose_instance_died_lapses(shared: Store, clock: ManualClock) -> None:
    first, second = switch(shared, clock), switch(shared, clock)
    await break_it(first)
    clock.elapsed = 11
    assert (await first.admit()).probe
    clock.elapsed = 30
    with pytest.raises(Paused):
        await second.admit()
    clock.elapsed = 72
    assert (await second.admit()).probe


async def test_an_answer_that_comes_late_does_not_close_it(shared: Store, clock: ManualClock) -> None:
    """It was asked before the outage."""
    one = switch(shared, clock)
    late = await one.admit()
    await break_it(one)
    await one.saw(late, None)
    with pytest.raises(Paused):
        await one.admit()


async def test_a_pause_that_the_system_asks_for_holds_for_all_instances(shared: Store, clock: ManualClock) -> None:
    """And after it, calls come back few at first."""
    first, second = switch(shared, clock), switch(shared, clock)
    await call(first, Throttled("wait", reason="erp-throttled", service="erp", retry_after=30))
    clock.elapsed = 10
    with pytest.raises(Throttled) as raised:
        await second.admit()
    assert (raised.value.reason, raised.value.retry_after) == ("erp-throttled", 20)
    clock.elapsed = 31
    assert (await second.admit()).limit == 1


async def test_many_throttled_calls_write_once(shared: Store, clock: ManualClock) -> None:
    one = switch(shared, clock)
    passes = [await one.admit() for _ in range(20)]
    for each in passes:
        await one.saw(each, Throttled("wait", retry_after=30))
    assert shared.writes == 1


async def test_a_person_pauses_and_resumes_for_all_instances(shared: Store, clock: ManualClock) -> None:
    """Whoever asks learns who did it and why; nobody knows until when."""
    operations, worker = switch(shared, clock), switch(shared, clock)
    state = await operations.pause(by="ann", why="the ERP is being migrated")
    assert state.pause is not None
    with pytest.raises(Paused, match=r"ann has paused erp: the ERP is being migrated") as raised:
        await worker.admit()
    assert raised.value.retry_after is None
    seen = await worker.state()
    assert seen.pause is not None
    assert (seen.pause.by, seen.pause.since) == ("ann", clock.now().timestamp())
    await operations.resume()
    clock.elapsed = 20
    assert (await worker.admit()).limit == 16


async def test_a_pause_survives_what_happens_meanwhile(shared: Store, clock: ManualClock) -> None:
    """Instances that have not read it yet write their own changes beside it."""
    worker, operations = switch(shared, clock), switch(shared, clock)
    await call(worker)
    await operations.pause(by="ann", why="migration")
    await break_it(worker)
    state = await operations.state()
    assert (state.phase, state.pause is not None) == (Phase.OPEN, True)
    resumed = await operations.resume()
    assert resumed.pause is None
    assert (await operations.admit()).probe


async def test_it_is_read_every_other_second_and_written_only_for_changes(shared: Store, clock: ManualClock) -> None:
    one = switch(shared, clock)
    for number in range(1000):
        clock.elapsed = number / 100
        await call(one)
        await asyncio.sleep(0)
    assert 4 <= shared.reads <= 6
    assert shared.writes == 0


async def test_an_instance_that_was_idle_reads_before_it_calls(shared: Store, clock: ManualClock) -> None:
    """A system paused meanwhile gets no call from it."""
    idle, operations = switch(shared, clock), switch(shared, clock)
    await call(idle)
    clock.elapsed = 600
    await operations.pause(by="ann", why="migration")
    with pytest.raises(Paused):
        await idle.admit()


async def twice(one: Switch) -> None:
    """The first call may go while the state is read again."""
    for _ in range(2):
        await one.admit()
        await asyncio.sleep(0.01)


async def test_while_the_store_is_away_each_instance_goes_by_what_it_sees(shared: Store, clock: ManualClock) -> None:
    """And shares it with the others once the store is back."""
    first, second = switch(shared, clock), switch(shared, clock)
    shared.away = True
    await break_it(first)
    with pytest.raises(Paused):
        await first.admit()
    await call(second)
    shared.away = False
    clock.elapsed = 3
    for one in (first, second):
        with pytest.raises(Paused):
            await twice(one)


async def test_what_an_instance_saw_meanwhile_does_not_undo_a_persons_pause(shared: Store, clock: ManualClock) -> None:
    first, operations = switch(shared, clock), switch(shared, clock)
    await call(first)
    shared.away = True
    await break_it(first)
    shared.away = False
    await operations.pause(by="ann", why="migration")
    for clock.elapsed in (20, 40):
        with pytest.raises(Paused):
            await first.admit()
    state = await operations.state()
    assert (state.phase, state.pause is not None) == (Phase.OPEN, True)


async def test_a_slow_read_does_not_bring_back_what_has_changed_since(shared: Store, clock: ManualClock) -> None:
    """What it brings was true when it was asked for."""
    one = switch(shared, clock)
    await call(one)
    clock.elapsed = 3
    shared.gate.clear()
    given = await one.admit()
    await asyncio.sleep(0)
    for _ in range(POLICY.outages):
        await one.saw(given, TIMEOUT)
    shared.gate.set()
    await asyncio.sleep(0.01)
    with pytest.raises(Paused):
        await one.admit()


async def test_outages_of_calls_from_before_do_not_end_a_probe(shared: Store, clock: ManualClock) -> None:
    one = switch(shared, clock)
    late = [await one.admit() for _ in range(20)]
    await break_it(one)
    clock.elapsed = 11
    probe = await one.admit()
    for each in late:
        await one.saw(each, TIMEOUT)
    assert (await one.state()).phase is Phase.HALF_OPEN
    await one.saw(probe, None)
    assert (await one.admit()).limit == 1


async def test_a_person_gets_an_error_when_the_store_is_unavailable(shared: Store, clock: ManualClock) -> None:
    shared.away = True
    with pytest.raises(IntegrationError):
        await switch(shared, clock).pause(by="ann", why="migration")
