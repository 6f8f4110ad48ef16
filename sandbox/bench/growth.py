"""Whether the app gets slower or larger with the number of events that it has seen."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.bench import proc
from sandbox.bench.measures import Bench
from sandbox.bench.product import Product
from sandbox.bench.subject import OutsideSystems, eventually_written
from sandbox.bench.workload import Workload

CHUNK = 1_000
_COMPARED = 3
_CHUNK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some events (a thousand), `seen` of them and all before; CPU in milliseconds per event, MiB at its end."""

    seen: int
    intake_cpu_ms: float
    worker_cpu_ms: float
    azurite_cpu_ms: float
    intake_mib: float
    worker_mib: float


def grow(
    bench: Bench,
    workload: Workload,
    product: Product,
    outside: OutsideSystems,
    *,
    total: int,
    say: Callable[[str], None],
) -> list[Chunk]:
    """Send `total` events in chunks, with every function of the app running, each chunk once the one before is done."""
    product.start_everything()
    chunks: list[Chunk] = []
    try:
        for seen in range(CHUNK, total + 1, CHUNK):
            chunks.append(chunk(bench, workload, product, outside, seen=seen))
            it = chunks[-1]
            if seen % (5 * CHUNK) == 0 or seen == CHUNK:
                say(
                    f"{seen} events: intake {it.intake_cpu_ms:.2f} ms, {it.intake_mib:.0f} MiB; worker "
                    f"{it.worker_cpu_ms:.2f} ms, {it.worker_mib:.0f} MiB; Azurite {it.azurite_cpu_ms:.2f} ms"
                )
    finally:
        product.stop_worker()
    return chunks


def chunk(
    bench: Bench,
    workload: Workload,
    product: Product,
    outside: OutsideSystems,
    *,
    seen: int = 0,
    count: int = CHUNK,
) -> Chunk:
    """Send so many events while the worker runs, and wait until all of them are done."""
    worker, azurite = product.worker_pid(), product.helpers()["azurite"]
    base, before = outside.written(), (proc.cpu_seconds(worker), proc.cpu_seconds(azurite))
    sent = bench.send(product, workload.events(count))
    eventually_written(outside, base + count, _CHUNK_SECONDS)
    product.drain()
    return Chunk(
        seen=seen,
        intake_cpu_ms=sent.cpu_ms,
        worker_cpu_ms=(proc.cpu_seconds(worker) - before[0]) / count * 1000,
        azurite_cpu_ms=(proc.cpu_seconds(azurite) - before[1]) / count * 1000,
        intake_mib=sent.resident_mib,
        worker_mib=proc.resident_mib(worker),
    )


@dataclass(frozen=True, slots=True)
class Growth:
    """The end compared with the beginning: medians of three chunks each, without the very first, which warms up."""

    events: int
    app_ratio: float
    azurite_ratio: float
    worker_mib_early: float
    worker_mib_late: float
    largest_mib: float

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> "Growth":
        """Raises ValueError when there are too few chunks to compare."""
        if len(chunks) <= _COMPARED:
            raise ValueError(f"growth needs more than {_COMPARED * CHUNK} events")
        early, late = chunks[1 : 1 + _COMPARED], chunks[-_COMPARED:]
        return cls(
            events=chunks[-1].seen,
            app_ratio=_ratio(early, late, lambda it: it.intake_cpu_ms + it.worker_cpu_ms),
            azurite_ratio=_ratio(early, late, lambda it: it.azurite_cpu_ms),
            worker_mib_early=statistics.median(it.worker_mib for it in early),
            worker_mib_late=statistics.median(it.worker_mib for it in late),
            largest_mib=max(it.worker_mib for it in chunks),
        )

    def document(self, chunks: Sequence[Chunk]) -> dict[str, Any]:
        """All of it as JSON."""
        return {**asdict(self), "chunks": [asdict(each) for each in chunks]}


def _ratio(early: Sequence[Chunk], late: Sequence[Chunk], figure: Callable[[Chunk], float]) -> float:
    return statistics.median(map(figure, late)) / statistics.median(map(figure, early))
