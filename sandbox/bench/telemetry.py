"""What spans and metrics cost: the app without them, with a tenth of all traces, and with all, in turns."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sandbox.bench.growth import chunk
from sandbox.bench.measures import Bench
from sandbox.bench.product import Product
from sandbox.bench.subject import OutsideSystems
from sandbox.bench.workload import Workload

OFF: Final = "off"
_ON: Final = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_BSP_SCHEDULE_DELAY": "5000"}
MODES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        OFF: {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
        "a tenth of all traces": {**_ON, "OTEL_TRACES_SAMPLER_ARG": "0.1"},
        "all traces": {**_ON, "OTEL_TRACES_SAMPLER_ARG": "1"},
    }
)
SAMPLED: Final = tuple(mode for mode in MODES if mode != OFF)
_WARM_UP: Final = 300
"""Events before those that are measured: the exporter is imported by then."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU in milliseconds for an event, of intake and worker with their hosts, and the bytes of log lines."""

    mode: str
    intake_ms: float
    worker_ms: float
    logged: float

    @property
    def cpu_ms(self) -> float:
        return self.intake_ms + self.worker_ms


def costs(
    bench: Bench,
    workload: Workload,
    product: Product,
    outside: OutsideSystems,
    *,
    events: int,
    rounds: int,
    say: Callable[[str], None],
) -> list[Cost]:
    """One of each mode in each round."""
    found: list[Cost] = []
    for _ in range(rounds):
        for mode, settings in MODES.items():
            product.restart_with(settings)
            chunk(bench, workload, product, outside, count=_WARM_UP)
            before = product.logged()
            it = chunk(bench, workload, product, outside, count=events)
            found.append(Cost(mode, it.intake_cpu_ms, it.worker_cpu_ms, (product.logged() - before) / events))
            say(f"{mode}: intake {it.intake_cpu_ms:.2f} ms, worker {it.worker_cpu_ms:.2f} ms, {found[-1].logged:.0f} B")
    product.stop_worker()
    return found


def document(found: list[Cost]) -> dict[str, Any]:
    """The medians of each mode, and how many times what it costs without telemetry."""
    off = _median(found, OFF, lambda it: it.cpu_ms)
    return {
        mode: {
            "intakeCpuMs": round(_median(found, mode, lambda it: it.intake_ms), 3),
            "workerCpuMs": round(_median(found, mode, lambda it: it.worker_ms), 3),
            "ratio": round(_median(found, mode, lambda it: it.cpu_ms) / off, 3),
            "loggedBytes": round(_median(found, mode, lambda it: it.logged)),
        }
        for mode in MODES
    }


def _median(found: list[Cost], mode: str, figure: Callable[[Cost], float]) -> float:
    return statistics.median(figure(it) for it in found if it.mode == mode)
