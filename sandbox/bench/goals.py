"""The goals of the project, and whether the figures of a run meet them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bench.growth import Growth
from sandbox.bench.rounds import Measured, Round, without_host
from sandbox.bench.telemetry import SAMPLED

APP, OLD_APP = "this app", "commit"
PRICED = "FastAPI + FastStream + ledger"

_INTAKE_CPU_MS, _INTAKE_RATE, _INTAKE_P99_MS = 1.5, 500, 100
_WORKER_CPU_MS, _WORKER_RATIO, _SPEED_UP = 6.0, 1.1, 4.0
_CALLS, _DUPLICATE_CALLS = 4, 1
_GROWTH, _RESIDENT_MIB, _FLAT = 1.1, 150, 1.1
_IMPORT_MS = 500
_TELEMETRY = 1.05


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal. `measured` is None where this run has not measured it."""

    what: str
    limit: float
    measured: float | None
    at_least: bool = False
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is met; None if it was not measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def document(self) -> dict[str, Any]:
        """As JSON."""
        bound = "atLeast" if self.at_least else "atMost"
        measured = None if self.measured is None else round(self.measured, 3)
        return {"goal": self.what, bound: self.limit, "unit": self.unit, "measured": measured, "met": self.met}


def goals(
    measured: Mapping[str, Measured],
    growth: Growth | None,
    import_ms: float | None,
    telemetry: Mapping[str, Mapping[str, float]] | None = None,
) -> list[Goal]:
    """All goals, in the order in which an event passes the parts."""
    app, priced = measured.get(APP), measured.get(PRICED)
    old = next((it for name, it in measured.items() if name.startswith(OLD_APP)), None)
    return [*_intake(app), *_worker(app, old, priced), *_growth(growth), _import(import_ms), *_telemetry(telemetry)]


def _intake(app: Measured | None) -> Iterator[Goal]:
    cpu, rate = _median(app, lambda it: it.intake.cpu_ms), _median(app, lambda it: it.intake.rate)
    p99 = _median(app, lambda it: it.paced.percentile_ms(0.99))
    yield Goal("intake: CPU of a request", _INTAKE_CPU_MS, cpu, unit="ms")
    yield Goal("intake: requests a second on one core", _INTAKE_RATE, rate, at_least=True)
    yield Goal("intake: p99 at 70 % load", _INTAKE_P99_MS, p99, unit="ms")


def _worker(app: Measured | None, old: Measured | None, priced: Measured | None) -> Iterator[Goal]:
    own, theirs = _median(app, without_host), _median(priced, lambda it: it.worker.cpu_ms)
    rate, before = _median(app, lambda it: it.worker.rate), _median(old, lambda it: it.worker.rate)
    calls = app.table_calls if app else None
    yield Goal("worker: CPU of an event, without the host", _WORKER_CPU_MS, own, unit="ms")
    yield Goal(f"worker: the same compared with {PRICED}", _WORKER_RATIO, _ratio(own, theirs), unit="times")
    yield Goal(
        "worker: events a second compared with the old app",
        _SPEED_UP,
        _ratio(rate, before),
        at_least=True,
        unit="times",
    )
    # To a tenth: now and then an event reads what instances share (breakers, budgets), which is not its own cost.
    one, duplicate = (
        (round(calls.worker.on_the_path, 1), round(calls.duplicate_worker.on_the_path, 1)) if calls else (None, None)
    )
    yield Goal("worker: calls to the tables that an event waits for", _CALLS, one)
    yield Goal("worker: the same for a duplicate", _DUPLICATE_CALLS, duplicate)


def _growth(growth: Growth | None) -> Iterator[Goal]:
    events = f"{growth.events:,}" if growth else "50,000"
    app, azurite, largest, flat = (
        (growth.app_ratio, growth.azurite_ratio, growth.largest_mib, growth.worker_mib_late / growth.worker_mib_early)
        if growth
        else (None, None, None, None)
    )
    yield Goal(f"growth: CPU of an event at {events} compared with 1,000", _GROWTH, app, unit="times")
    yield Goal(f"growth: the same of Azurite at {events}", _GROWTH, azurite, unit="times")
    yield Goal("worker: memory at most", _RESIDENT_MIB, largest, unit="MiB")
    yield Goal(f"worker: memory at {events} compared with 1,000", _FLAT, flat, unit="times")


def _import(import_ms: float | None) -> Goal:
    return Goal("cold import of function_app", _IMPORT_MS, import_ms, unit="ms")


def _telemetry(found: Mapping[str, Mapping[str, float]] | None) -> Iterator[Goal]:
    for mode in SAMPLED:
        ratio = found[mode]["ratio"] if found else None
        yield Goal(f"spans and metrics, {mode}: CPU of an event compared with none", _TELEMETRY, ratio, unit="times")


def _median(of: Measured | None, figure: Callable[[Round], float | None]) -> float | None:
    return None if of is None else of.median(figure)


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None
