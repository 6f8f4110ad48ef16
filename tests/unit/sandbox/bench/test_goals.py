"""Whether goals are met."""

from sandbox.bench.counting import Calls, TableCalls
from sandbox.bench.goals import APP, OLD_APP, PRICED, Goal, goals
from sandbox.bench.growth import Chunk, Growth
from sandbox.bench.measures import IntakeFigures, WorkerFigures
from sandbox.bench.rounds import Measured, Round

CALLS = TableCalls(Calls(0.3, 0.0), Calls(6.0, 2.0), Calls(1.0, 0.0), Calls(2.0, 1.0))


def rounds(rate: float, cpu_ms: float, empty_ms: float | None = None) -> list[Round]:
    """One round of a subject whose worker has this rate and takes so much CPU for an event."""
    intake = IntakeFigures(100, 600.0, [0.01] * 100, [0.0] * 100, 1.2, 0.9, 80.0)
    worker = WorkerFigures(100, rate, cpu_ms, 0.9, 100.0)
    empty = None if empty_ms is None else WorkerFigures(100, 500.0, empty_ms, 0.9, 60.0)
    return [Round(intake, intake, worker, empty)]


def by_name(found: list[Goal]) -> dict[str, Goal]:
    return {goal.what: goal for goal in found}


def test_the_worker_is_judged_without_its_host_and_compared_with_the_others() -> None:
    """8 ms less 2 ms of an empty function are 6 ms, 1.2 times the 5 ms of the comparator; 4 times the old rate."""
    measured = {
        APP: Measured(APP, rounds(200, 8.0, 2.0), CALLS),
        f"{OLD_APP} 0000000": Measured("old", rounds(50, 20.0, 2.0)),
        PRICED: Measured(PRICED, rounds(300, 5.0)),
    }
    found = by_name(goals(measured, None, None))
    assert found["worker: CPU of an event, without the host"].met
    ratio = found[f"worker: the same compared with {PRICED}"]
    assert (ratio.measured, ratio.met) == (1.2, False)
    speed_up = found["worker: events a second compared with the old app"]
    assert (speed_up.measured, speed_up.met) == (4.0, True)
    assert found["worker: calls to the tables that an event waits for"].met
    assert found["worker: the same for a duplicate"].met
    assert found["intake: CPU of a request"].met


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    """A run without comparators or growth says so instead of passing."""
    assert {goal.met for goal in goals({}, None, None)} == {None}


def test_an_import_is_judged_by_its_milliseconds() -> None:
    """At the limit is within it."""
    assert by_name(goals({}, None, 500.0))["cold import of function_app"].met
    assert not by_name(goals({}, None, 501.0))["cold import of function_app"].met


def chunk(seen: int, cpu_ms: float, mib: float) -> Chunk:
    return Chunk(seen, 1.0, cpu_ms, cpu_ms, 80.0, mib)


def test_growth_compares_the_end_with_the_beginning_behind_the_warm_up() -> None:
    """The first thousand pay for imports and connections, and are left out on both sides."""
    chunks = [chunk(1_000, 50.0, 70.0), *(chunk(n * 1_000, 9.0, 100.0) for n in range(2, 48))]
    chunks += [chunk(n * 1_000, 10.0, 105.0) for n in range(48, 51)]
    growth = Growth.of(chunks)
    assert (growth.events, growth.app_ratio, growth.largest_mib) == (50_000, 1.1, 105.0)
    found = by_name(goals({}, growth, None))
    assert found["growth: CPU of an event at 50,000 compared with 1,000"].met
    assert found["growth: the same of Azurite at 50,000"].met is False
    assert found["worker: memory at 50,000 compared with 1,000"].met


def test_telemetry_may_cost_a_twentieth() -> None:
    costs = {"off": {"ratio": 1.0}, "a tenth of all traces": {"ratio": 1.02}, "all traces": {"ratio": 1.06}}
    found = [goal for goal in goals({}, None, None, costs) if goal.what.startswith("spans and metrics")]
    assert [(goal.limit, goal.met) for goal in found] == [(1.05, True), (1.05, False)]
