"""Intake and worker at once, at half the rate that the worker can take: how long an event is on its way."""

from dataclasses import dataclass, field

from sandbox.bench.measures import Bench, percentile
from sandbox.bench.product import Product
from sandbox.bench.subject import OutsideSystems, eventually_written
from sandbox.bench.workload import Workload

_WARM_UP = 64
_SECONDS = 120.0


@dataclass(slots=True)
class EndToEnd:
    """`sent` has when the request about each record was due, in seconds since 1970."""

    delay_ms: int
    rate: float
    sent: dict[str, float]
    latencies: list[float] = field(default_factory=list)

    def percentile_ms(self, share: float) -> float:
        """From due to settled, in milliseconds, for this share of the events."""
        return percentile(self.latencies, share) * 1000

    def settle(self, settled_at: dict[str, float]) -> None:
        """Fill in what the archive says."""
        self.latencies = [settled_at[record] - at for record, at in self.sent.items() if record in settled_at]


def end_to_end(
    bench: Bench,
    workload: Workload,
    product: Product,
    outside: OutsideSystems,
    *,
    delay_ms: int,
    rate: float,
    count: int,
) -> EndToEnd:
    """Events at `rate` per second while everything outside answers after `delay_ms`; all functions must be running."""
    outside.answer_in(delay_ms)
    base = outside.written()
    bench.send(product, workload.events(_WARM_UP))
    eventually_written(outside, base + _WARM_UP, _SECONDS)
    product.drain()  # until the hub has received them too: opening the connection to it takes seconds
    events = workload.events(count)
    sent = bench.send(product, events, rate=rate, core_for=product.worker_pid())
    eventually_written(outside, base + _WARM_UP + count, _SECONDS)
    outside.answer_in(0)
    due = {event.record: at for event, at in zip(events, sent.sent_at, strict=True)}
    return EndToEnd(delay_ms, rate, due)
