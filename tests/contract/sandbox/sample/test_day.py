"""The sample is a ledger as this version writes it: the app reads it, and says of it what it is to show."""

from integration.ledger import State, transfer
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.operations.causes import CauseQuery
from integration.operations.drift import Drift, DriftReports
from integration.operations.reconciliations import Reconciliations
from integration.protection import MemoryState
from sandbox.sample import comparisons, day
from tests.memory_table import ManualClock, MemoryLedger


async def imported() -> MemoryLedger:
    ledger = MemoryLedger(ManualClock())
    await transfer.restore(ledger, day.lines(ledger._clock.now()))
    return ledger


async def test_the_causes_are_those_of_the_story() -> None:
    ledger = await imported()
    found = await CauseQuery(ledger, ledger._clock).now()
    story = {it.reason: it.count for it in day.FAILURES} | {"unreadable": 1}
    assert {it.reason: it.count for it in found.causes} == story


async def test_every_failure_is_found_as_an_event_with_its_attempts() -> None:
    ledger = await imported()
    queries = Queries(ledger)
    for problem in await Problems(ledger).first(State.DEAD_LETTERED.value, 1_000):
        status = await ledger.read(problem.event_id)
        assert status is not None
        assert (status.state, status.reason) == (State.DEAD_LETTERED, problem.reason)
        if status.table:
            assert len(status.history) == min(problem.attempts, 20)
            assert status in await queries.by_record(status.table, str(status.record_id))
            assert status in await queries.by_correlation(status.correlation_id)


async def test_the_same_sample_is_made_each_time() -> None:
    """So that pictures can be compared."""
    now = ManualClock().now()
    assert list(day.lines(now)) == list(day.lines(now))


async def test_the_comparisons_are_read_as_the_app_keeps_them() -> None:
    """One table healed, one with something left, and a step that somebody has changed."""
    state = MemoryState()
    for key, document in comparisons.documents(ManualClock().now()).items():
        await state.write(key, document, None)
    found = await Reconciliations(state, ManualClock()).last(["account", "opportunity"])
    assert [(it.different, it.queued) for it in found.values() if it] == [(3, 3), (2, 0)]
    report = await DriftReports(state).last()
    assert report is not None
    assert (report.drift, report.count) == (Drift.FOUND, 1)
