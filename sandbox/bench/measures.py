"""The measures: what is sent when, and what is read from clocks and counters meanwhile."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.bench import load
from sandbox.bench.load import Job, Reply, Result
from sandbox.bench.meter import ELSEWHERE, Meter, Seconds, spent
from sandbox.bench.workload import Record, Workload
from sandbox.client import Client
from sandbox.running.sandbox import Sandbox

INTAKE, WORKER, END_TO_END, HALF_LOAD = "intake alone", "worker alone", "end to end", "end to end, half load"

GENERATOR = "load generator"
_QUEUE = "work"
_PAUSE = 0.05
_DRAIN_SECONDS = 300.0
_WARMED_UP = 0.1
"""Share of the worker's messages that go unmeasured: they pay for imports, connections and tokens."""


class LoadRefusedError(Exception):
    """The intake answered something else than 202, or took an event for one that it had already."""


@dataclass(slots=True)
class Measure:
    """One measure: events in so many seconds, and the CPU seconds spent meanwhile by part.

    `sent` has when each event was sent (or due), in seconds since 1970; `latencies` how long each took, in seconds.
    """

    name: str
    delay_ms: int
    events: int
    seconds: float
    cpu: Seconds
    sent: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    worked: list[str] = field(default_factory=list)
    """The events that a worker found in the queue."""

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of the events stays within, in milliseconds (nearest rank)."""
        ranked = sorted(self.latencies)
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)] * 1000 if ranked else math.nan

    def cpu_ms(self) -> dict[str, float]:
        """CPU milliseconds per event by part."""
        return {part: seconds / self.events * 1000 for part, seconds in self.cpu.items()}


class Bench:
    """Sends batches of webhooks, each about records of its own; `watch` is called with what is going on."""

    def __init__(
        self,
        sandbox: Sandbox,
        client: Client,
        workload: Workload,
        connections: int,
        watch: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._sandbox = sandbox
        self._client = client
        self._workload = workload
        self._connections = connections
        self._watch = watch
        self._meter = Meter(sandbox)
        self.events: dict[str, Record] = {}
        """Every event that the intake has accepted."""

    def answer_in(self, delay_ms: int) -> None:
        """Let every route of ERP, credit scoring and Dataverse wait that long before it does anything."""
        for system in (self._client.erp, self._client.credit, self._client.dataverse):
            system.clear_faults()
            if delay_ms:
                system.add_fault("* .*", times=None, delay_ms=delay_ms)

    def stop_worker(self) -> None:
        """From now on the queue only fills."""
        self._sandbox.processes.stop_one("host-events")

    def warm_up(self, records: list[Record]) -> None:
        """Connections, tokens, tables, code paths."""
        self._send(records)
        self._drain()

    def intake(self, delay_ms: int, records: list[Record]) -> Measure:
        """The worker must be stopped. Latencies: request to answer."""
        result, before = self._send(records)
        cpu = self._spent(before, result)
        latencies = [reply.seconds for reply in result.replies]
        return Measure(INTAKE, delay_ms, len(records), result.seconds, cpu, _sent(result), latencies)

    def worker(self, delay_ms: int, queued: list[str]) -> Measure:
        """Start the worker on the queue, which holds these events; their latencies are added later, from its log."""
        self._sandbox.processes.start("host-events")
        while (left := self._in_queue()) > len(queued) * (1 - _WARMED_UP):
            time.sleep(_PAUSE)
        before, began = self._meter.read(), time.perf_counter()
        self._drain()
        seconds = time.perf_counter() - began
        return Measure(WORKER, delay_ms, left, seconds, spent(before, self._meter.read()), worked=queued)

    def end_to_end(self, delay_ms: int, records: list[Record], *, rate: float | None = None) -> Measure:
        """Intake and worker at once; the events' latencies, sent (or due) to settled, are added later.

        Without `rate` the intake gets all that it can take, so that latencies are those of a queue that fills.
        """
        result, before = self._send(records, rate)
        self._drain()
        sent = _sent(result)
        seconds = time.time() - min(sent.values())
        cpu = self._spent(before, result)
        name = END_TO_END if rate is None else HALF_LOAD
        return Measure(name, delay_ms, len(records), seconds, cpu, sent)

    def _send(self, records: list[Record], rate: float | None = None) -> tuple[Result, Seconds]:
        """The result, and what the meter showed as the load began."""
        job = Job(self._client.app.url, self._workload.calls(records), self._connections, rate)
        before: Seconds = {}
        result = load.run(job, ready=lambda: before.update(self._meter.read()))
        for reply, record in zip(result.replies, records, strict=True):
            self.events[_event_id(reply)] = record
        return result, before

    def _spent(self, before: Seconds, result: Result) -> Seconds:
        """CPU since then, the load generator's own apart."""
        cpu = spent(before, self._meter.read()) | {GENERATOR: result.cpu_seconds}
        if ELSEWHERE in cpu:
            cpu[ELSEWHERE] -= result.cpu_seconds
        return cpu

    def _in_queue(self) -> int:
        counts = self._client.broker.entities()["queues"][_QUEUE]
        return int(counts["active"] + counts["locked"] + counts["scheduled"])

    def _drain(self) -> None:
        """Wait until the queue is empty: a message leaves it once its event is settled."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while left := self._in_queue():
            self._watch(f"{left} in the queue")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{left} messages are still in the queue after {_DRAIN_SECONDS:g} s")
            time.sleep(_PAUSE)


def _sent(result: Result) -> dict[str, float]:
    return {_event_id(reply): reply.at for reply in result.replies}


def _event_id(reply: Reply) -> str:
    answer: dict[str, str] = json.loads(reply.body) if reply.status == 202 else {}
    if answer.get("status") != "accepted":
        raise LoadRefusedError(f"the intake answered {reply.status}: {reply.body[:500]}")
    return answer["eventId"]
