"""The sample is a ledger as this version writes it: the app reads it, and says of it what it is to show."""

from integration.ledger import State, transfer
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.operations.causes import CauseQuery
from sandbox.sample import day
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
