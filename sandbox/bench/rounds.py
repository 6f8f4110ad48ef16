"""The comparison: every subject in turn, round after round, so that whatever else the machine does affects them all."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.bench.counting import TableCalls
from sandbox.bench.measures import Bench, IntakeFigures, WorkerFigures
from sandbox.bench.parts import per_event
from sandbox.bench.product import Product
from sandbox.bench.subject import Subject
from sandbox.bench.workload import Workload

LOAD_SHARE = 0.7
_WARM_UP = 64


@dataclass(frozen=True, slots=True)
class Round:
    """One subject in one round.

    Of the app only: `empty` is a host whose function does nothing, on the same queue.
    """

    intake: IntakeFigures
    paced: IntakeFigures
    worker: WorkerFigures
    empty: WorkerFigures | None = None


@dataclass(slots=True)
class Measured:
    """A subject with its rounds; if counted, its calls to the tables for an event, and CPU by part (ms per event)."""

    name: str
    rounds: list[Round] = field(default_factory=list)
    table_calls: TableCalls | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    def median(self, figure: Callable[[Round], float | None]) -> float | None:
        """The median of a figure over the rounds; None where it was not taken."""
        values = [value for each in self.rounds if (value := figure(each)) is not None]
        return statistics.median(values) if values else None


def without_host(each: Round) -> float | None:
    """CPU of the worker's own code per event, in milliseconds: what its process takes more than an empty function's.

    The comparators have no host; what their libraries take for a message is part of what they are.
    """
    return None if each.empty is None else each.worker.cpu_ms - each.empty.cpu_ms


def one_round(bench: Bench, workload: Workload, subject: Subject, events: int) -> Round:
    """Intake at full load, intake at 70 % of that, then the worker on all events that were accepted."""
    count = events * subject.pace
    bench.send(subject, workload.events(_WARM_UP))
    intake = bench.send(subject, workload.events(count))
    paced = bench.send(subject, workload.events(count), rate=intake.rate * LOAD_SHARE)
    total = _WARM_UP + 2 * count
    try:
        worker = bench.work_off(subject, total)
        if not isinstance(subject, Product):
            return Round(intake, paced, worker)
        subject.drain()
    finally:
        subject.stop_worker()
    return Round(intake, paced, worker, _empty(bench, workload, subject, 2 * count))


def parts_of(bench: Bench, workload: Workload, product: Product, events: int) -> dict[str, float]:
    """CPU by part of the intake's and the worker's process, in milliseconds per event, starting up included.

    In a run of its own: in the rounds, the timing would be measured as well.
    """
    product.start_timed()
    try:
        before = product.intake_parts()
        bench.send(product, workload.events(events))
        product.drain()
        intake = _named("intake", per_event(before, product.intake_parts(), events))
        return intake | _named("worker", per_event({}, product.worker_parts(), events))
    finally:
        product.stop_timed()


def _named(process: str, by_part: Mapping[str, float]) -> dict[str, float]:
    return {f"{process}: {part}": ms for part, ms in by_part.items()}


def _empty(bench: Bench, workload: Workload, product: Product, count: int) -> WorkerFigures:
    """A host whose function does nothing, on a queue of `count` events."""
    bench.send(product, workload.events(count), kept=False)
    pid = product.start_empty()
    try:
        return bench.watch(pid, {}, count, lambda: count - product.left())
    finally:
        product.stop_empty()


def compare(
    bench: Bench,
    workload: Workload,
    subjects: Sequence[Subject],
    measured: dict[str, Measured],
    *,
    events: int,
    rounds: int,
    say: Callable[[str], None],
) -> None:
    """Add to `measured` so many rounds of every subject."""
    for number in range(1, rounds + 1):
        for subject in subjects:
            each = one_round(bench, workload, subject, events)
            measured.setdefault(subject.name, Measured(subject.name)).rounds.append(each)
            say(
                f"round {number}, {subject.name}: intake {each.intake.rate:.0f}/s at {each.intake.cpu_ms:.2f} ms, "
                f"worker {each.worker.rate:.0f}/s at {each.worker.cpu_ms:.2f} ms of CPU"
            )
