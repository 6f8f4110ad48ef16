"""`run.py bench`: how many events per second, how long each takes, and which part spends the CPU.

Starts a sandbox of its own on free ports, sends captured webhooks, and prints tables; the same goes to a JSON file.
Exits with 1 when an accepted event was not settled or had its effect more or less than once.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from sandbox.bench.audit import Audit, service_times
from sandbox.bench.measures import INTAKE, WORKER, Bench, LoadRefusedError, Measure
from sandbox.bench.report import document, machine, tables
from sandbox.bench.workload import Workload, batches
from sandbox.client import Client
from sandbox.commands.session import run_with, say
from sandbox.machine.ports import LOOPBACK
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox

_WARM_UP = 16
_FAILURES = (TimeoutError, LoadRefusedError, subprocess.CalledProcessError, requests.RequestException)


def main() -> int:
    """0 when nothing was lost."""
    options = _options()
    home = REPOSITORY / ".sandbox"
    home.mkdir(exist_ok=True)
    state = Path(tempfile.mkdtemp(prefix="bench-", dir=home))
    sandbox = Sandbox(state, app=options.app.resolve(), settings={"SANDBOX_HOST_STATS": "true"}, say=say)

    def work(reached: Endpoints) -> int:
        client = Client(reached, f"http://{LOOPBACK}:{sandbox.ports.broker_http}")
        try:
            return _measure(sandbox, reached, client, options)
        except _FAILURES as failure:
            say(f"\nThe measures stop here: {failure}")
            return 1

    began = time.monotonic()
    status = run_with(sandbox, work)
    if status == 0:
        shutil.rmtree(sandbox.state.root)
        say(f"\nNothing was lost, nothing was done twice. {time.monotonic() - began:.0f} s; figures in {options.json}")
    else:
        say(f"\nLogs of each process: {sandbox.state.logs}")
    return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few events and one delay: does it all work?")
    parser.add_argument("--events", type=int, metavar="N", help="events of each measure (300; quick: 60)")
    parser.add_argument(
        "--delays", type=_delays, metavar="MS,MS", help="outside systems answer in so many ms (0,20,100; quick: 0)"
    )
    parser.add_argument("--connections", type=int, default=16, metavar="N", help="of the load generator (%(default)s)")
    parser.add_argument(
        "--app", type=Path, default=REPOSITORY, metavar="DIR", help="measure another version of the app: its folder"
    )
    parser.add_argument("--json", type=Path, default=REPOSITORY / ".sandbox" / "bench.json", metavar="FILE")
    options = parser.parse_args()
    options.events = options.events or (60 if options.quick else 300)
    options.delays = options.delays or ([0] if options.quick else [0, 20, 100])
    return options


def _delays(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _measure(sandbox: Sandbox, reached: Endpoints, client: Client, options: argparse.Namespace) -> int:
    workload = Workload(reached, client)
    bench = Bench(sandbox, client, workload, options.connections)
    measures = []
    for measure in _measures(bench, workload, options):
        measures.append(measure)
        say(f"{measure.name}, {measure.delay_ms} ms outside: {measure.rate:.1f} events/s")
    audit = Audit(client, bench.events)
    faults = audit.faults()
    _add_latencies(measures, audit.settled_at(), service_times(sandbox.processes.log("host-events")))
    told = {"events": options.events, "delaysMs": options.delays, "connections": options.connections}
    options.json.write_text(json.dumps(document(measures, faults, told), indent=1) + "\n", encoding="utf-8")
    say(f"\n{' · '.join(map(str, machine().values()))}\n\n{tables(measures)}")
    for fault in faults:
        say(f"NOT AS IT SHOULD BE: {fault}")
    return 1 if faults else 0


def _measures(bench: Bench, workload: Workload, options: argparse.Namespace) -> Iterator[Measure]:
    """For each delay: fill the queue through the intake, work it off, then both at once, then both at half load."""
    half = options.events // 2
    sizes = [_WARM_UP, *[options.events, options.events, half] * len(options.delays)]
    workload.silence_steps()
    parts = batches(workload.plant(sum(sizes)), sizes)
    bench.warm_up(next(parts))
    for delay in options.delays:
        bench.answer_in(delay)
        bench.stop_worker()
        intake = bench.intake(delay, next(parts))
        yield intake
        yield bench.worker(delay, list(intake.sent))
        flood = bench.end_to_end(delay, next(parts))
        yield flood
        yield bench.end_to_end(delay, next(parts), rate=flood.rate / 2)
    bench.answer_in(0)


def _add_latencies(measures: list[Measure], settled_at: dict[str, float], took: dict[str, float]) -> None:
    """What is known only afterwards: when events settled, and how long the worker had each in hand.

    `took` is in the order they settled: the first ones, which warmed the worker up, do not count.
    """
    for it in measures:
        if it.name == WORKER:
            worked = set(it.worked)
            it.latencies = [seconds for event, seconds in took.items() if event in worked][-it.events :]
        elif it.name != INTAKE:
            it.latencies = [settled_at[event] - at for event, at in it.sent.items() if event in settled_at]


if __name__ == "__main__":
    sys.exit(main())
