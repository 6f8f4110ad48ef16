"""The comparison: every subject in turn, round after round, so that what the machine does meanwhile meets them all."""

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

    Of the app only: `empty` is a host whose function does nothing, on the same queue; `parts` is CPU by part of the
    intake's and the worker's process, in milliseconds per event, starting up included.
    """

    intake: IntakeFigures
    paced: IntakeFigures
    worker: WorkerFigures
    empty: WorkerFigures | None = None
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Measured:
    """A subject with its rounds, and the calls to the tables that it makes for an event, where they were counted."""

    name: str
    rounds: list[Round] = field(default_factory=list)
    table_calls: TableCalls | None = None

    def median(self, figure: Callable[[Round], float | None]) -> float | None:
        """The median of a figure over the rounds; None where it was not taken."""
        values = [value for each in self.rounds if (value := figure(each)) is not None]
        return statistics.median(values) if values else None

    def parts(self) -> dict[str, float]:
        """CPU by part: medians over the rounds, in milliseconds per event."""
        names = dict.fromkeys(name for each in self.rounds for name in each.parts)
        return {name: statistics.median(each.parts.get(name, 0.0) for each in self.rounds) for name in names}


def without_host(each: Round) -> float | None:
    """CPU of the worker's own code per event, in milliseconds: what its process takes more than an empty function's.

    The comparators have no host; what their libraries take for a message is part of what they are.
    """
    return None if each.empty is None else each.worker.cpu_ms - each.empty.cpu_ms


def one_round(bench: Bench, workload: Workload, subject: Subject, events: int) -> Round:
    """Intake at full load, intake at 70 % of that, then the worker on all that has come together."""
    count = events * subject.pace
    bench.send(subject, workload.events(_WARM_UP))
    parts = _IntakeParts(subject)
    intake = bench.send(subject, workload.events(count))
    by_part = parts.per_event(count)
    paced = bench.send(subject, workload.events(count), rate=intake.rate * LOAD_SHARE)
    total = _WARM_UP + 2 * count
    try:
        worker = bench.work_off(subject, total)
        if not isinstance(subject, Product):
            return Round(intake, paced, worker)
        subject.drain()
        by_part |= _named("worker", per_event({}, subject.worker_parts(), total))
    finally:
        subject.stop_worker()
    return Round(intake, paced, worker, _empty(bench, workload, subject, 2 * count), by_part)


class _IntakeParts:
    """CPU by part of a subject's intake from now on; nothing for subjects that do not report it."""

    def __init__(self, subject: Subject) -> None:
        self._product = subject if isinstance(subject, Product) else None
        self._before = self._product.intake_parts() if self._product else {}

    def per_event(self, events: int) -> dict[str, float]:
        """Milliseconds per event by part."""
        after = self._product.intake_parts() if self._product else {}
        return _named("intake", per_event(self._before, after, events))


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
