"""The measures of one subject: its intake at full load and at 70 %, and its worker on a queue that is full."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sandbox.bench import load, proc
from sandbox.bench.drain import Sample, window
from sandbox.bench.load import Job, Reply
from sandbox.bench.subject import OutsideSystems, Subject
from sandbox.bench.workload import Event, calls

_POLL_SECONDS = 0.02
_STALLED_SECONDS = 60.0
_WORKER = "worker"


class LoadRefusedError(Exception):
    """An intake answered something else than 202."""


@dataclass(frozen=True, slots=True)
class IntakeFigures:
    """What an intake did with so many requests. Latencies are in seconds, from sent (at a given rate: due) to answer.

    `rate` is in requests per second; `cpu_ms` per request, `busy` the share of a core that the intake's process used.
    """

    requests: int
    rate: float
    latencies: Sequence[float]
    sent_at: Sequence[float]
    """When each request was sent or due, in seconds since 1970."""
    cpu_ms: float
    busy: float
    resident_mib: float

    def percentile_ms(self, share: float) -> float:
        """The latency that this share of the requests stays within, in milliseconds (nearest rank)."""
        return percentile(self.latencies, share) * 1000


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """What a worker did with a queue that was never empty; CPU in milliseconds per event."""

    events: int
    rate: float
    cpu_ms: float
    busy: float
    resident_mib: float
    elsewhere: float = 0.0
    """How many cores other programs on this machine were using meanwhile."""
    helpers_cpu_ms: dict[str, float] = field(default_factory=dict)
    outside_calls: float | None = None


class Bench:
    """Measures subjects on a core of their own, and remembers what they have accepted."""

    def __init__(self, outside: OutsideSystems, cores: proc.Cores, connections: int) -> None:
        self._outside = outside
        self._cores = cores
        self._connections = connections
        self.accepted: dict[str, list[Event]] = {}

    def send(
        self,
        subject: Subject,
        events: Sequence[Event],
        *,
        rate: float | None = None,
        kept: bool = True,
        core_for: int | None = None,
    ) -> IntakeFigures:
        """Send `events` to the intake, as fast as it answers or at a `rate` in requests per second.

        What is not `kept` is not audited: nobody is going to work on it. The free core goes to the intake, or to the
        process `core_for`.
        """
        pid = subject.intake_pid()
        job = Job(subject.url, calls(events, subject.key), self._connections, rate)
        before: list[float] = []
        with self._cores.given_to(core_for or pid):
            result = load.run(job, ready=lambda: before.append(proc.cpu_seconds(pid)))
            used = proc.cpu_seconds(pid) - before[0]
        _check(subject, result.replies)
        if kept:
            self.accepted.setdefault(subject.name, []).extend(events)
        return IntakeFigures(
            requests=len(events),
            rate=len(events) / result.seconds,
            latencies=[reply.seconds for reply in result.replies],
            sent_at=[reply.at for reply in result.replies],
            cpu_ms=used / len(events) * 1000,
            busy=used / result.seconds,
            resident_mib=proc.resident_mib(pid),
        )

    def work_off(self, subject: Subject, count: int) -> WorkerFigures:
        """Start the worker on a queue that holds `count` events, and measure it until all of them are done."""
        before = self._outside.counts()
        subject.start_worker()
        figures = self.watch(
            subject.worker_pid(), subject.helpers(), count, lambda: self._outside.written() - before["written"]
        )
        after = self._outside.counts()
        return replace(figures, outside_calls=sum(after[name] - before[name] for name in after) / count)

    def watch(self, pid: int, helpers: Mapping[str, int], count: int, done: Callable[[], int]) -> WorkerFigures:
        """Watch the worker's process and its helpers until `count` events are `done`.

        Raises `TimeoutError` when nothing more is done, `TooShortError` when there was too little to do.
        """
        elsewhere = proc.Elsewhere()
        with self._cores.given_to(pid):
            samples = list(_samples({_WORKER: pid, **helpers}, count, done))
            resident = proc.resident_mib(pid)
        measured = window(samples, count)
        return WorkerFigures(
            events=measured.events,
            rate=measured.rate,
            cpu_ms=measured.cpu_ms(_WORKER),
            busy=measured.busy(_WORKER),
            resident_mib=resident,
            elsewhere=elsewhere.cores(),
            helpers_cpu_ms={name: measured.cpu_ms(name) for name in helpers},
        )


def _samples(parts: Mapping[str, int], count: int, done: Callable[[], int]) -> Iterator[Sample]:
    """A sample every few milliseconds until all is done."""
    progress, moved_at = -1, time.monotonic()
    while progress < count:
        now = done()
        if now != progress:
            progress, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > _STALLED_SECONDS:
            raise TimeoutError(f"{count - now} of {count} events are not worked off, and nothing moves any more")
        yield Sample(time.perf_counter(), now, {name: proc.cpu_seconds(pid) for name, pid in parts.items()})
        time.sleep(_POLL_SECONDS)


def _check(subject: Subject, replies: Sequence[Reply]) -> None:
    refused = [reply for reply in replies if reply.status != 202]
    if refused:
        raise LoadRefusedError(
            f"{subject.name} refused {len(refused)} of {len(replies)} requests; "
            f"the first with {refused[0].status} {refused[0].body[:500]}"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of `values` stays within (nearest rank); NaN where there are none."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.nan
