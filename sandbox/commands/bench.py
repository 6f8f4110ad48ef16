"""Measure how many events per second, how long each takes, and which part spends the CPU time.

Starts a sandbox of its own on free ports, sends captured webhooks, and prints tables; the same goes to a JSON file.
Exits with 1 when an accepted event was not settled, or had its effect more or less than once.
"""

import argparse
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from sandbox.bench.audit import Audit, service_times
from sandbox.bench.measures import END_TO_END, HALF_LOAD, INTAKE, WORKER, Bench, LoadRefusedError, Measure
from sandbox.bench.report import MEANING, document, machine, tables
from sandbox.bench.workload import Workload, batches
from sandbox.client import Client
from sandbox.commands.here import DEFAULT_STATE
from sandbox.commands.session import run_with
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import new_state
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import duration, place

_WARM_UP = 16
_EVENTS, _QUICK_EVENTS = 300, 60
_DELAYS, _QUICK_DELAYS = [0, 20, 100], [0]
_MEASURES = (INTAKE, WORKER, END_TO_END, HALF_LOAD)
_FAILURES = (TimeoutError, LoadRefusedError, subprocess.CalledProcessError, requests.RequestException)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--quick", action="store_true", help="few events and one delay: does it all work?")
    parser.add_argument("--events", type=int, metavar="N", help="events of each measure (300; quick: 60)")
    parser.add_argument(
        "--delays", type=_delays, metavar="MS,MS", help="outside systems answer in so many ms (0,20,100; quick: 0)"
    )
    parser.add_argument("--connections", type=int, default=16, metavar="N", help="of the load generator (%(default)s)")
    parser.add_argument(
        "--app", type=Path, default=REPOSITORY, metavar="DIR", help="measure another version of the app: its folder"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_STATE / "bench.json",
        metavar="FILE",
        help="where the figures go (.sandbox/bench.json)",
    )


def main(options: argparse.Namespace) -> int:
    """0 when nothing was lost."""
    options.events = options.events or (_QUICK_EVENTS if options.quick else _EVENTS)
    options.delays = options.delays or (_QUICK_DELAYS if options.quick else _DELAYS)
    screen = Screen()
    screen.say("Starting a sandbox of its own on free ports ...")
    sandbox = Sandbox(
        new_state(DEFAULT_STATE, "bench"),
        app=options.app.resolve(),
        settings={"SANDBOX_HOST_STATS": "true"},
        say=lambda line: screen.say(line, indent=2),
    )

    def work(reached: Endpoints) -> int:
        try:
            return _measure(screen, sandbox, reached, options)
        except _FAILURES as failure:
            screen.say()
            screen.say(f"The measures stop here: {failure}", STYLES["FAILED"])
            return 1

    began = time.monotonic()
    status = run_with(sandbox, work)
    screen.say()
    if status == 0:
        shutil.rmtree(sandbox.state.root)
        screen.say(f"Nothing was lost, nothing was done twice. It took {duration(time.monotonic() - began)}.", "bold")
        screen.say(f"The figures are in {place(options.json.absolute())}.")
    else:
        screen.say(f"The log of each process is in {place(sandbox.state.logs)}.")
    return status


def _delays(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _measure(screen: Screen, sandbox: Sandbox, reached: Endpoints, options: argparse.Namespace) -> int:
    client = Client(reached)
    workload = Workload(reached, client)
    measures: list[Measure] = []
    with Progress("Measures", len(_MEASURES) * len(options.delays)) as progress:

        def watch(note: str) -> None:
            progress.show(len(measures), note)

        watch("making rows")
        bench = Bench(sandbox, client, workload, options.connections, watch)
        for measure in _measures(bench, workload, options):
            measures.append(measure)
            progress.say(f"{measure.name}, {measure.delay_ms} ms outside: {measure.rate:.1f} events/s")
            watch("")
        watch("looking for what was lost or done twice")
        audit = Audit(client, bench.events)
        faults = audit.faults()
    _add_latencies(measures, audit.settled_at(), service_times(sandbox.processes.log("host-events")))
    chosen = {"events": options.events, "delaysMs": options.delays, "connections": options.connections}
    options.json.write_text(json.dumps(document(measures, faults, chosen), indent=1) + "\n", encoding="utf-8")
    screen.say()
    screen.say(", ".join(f"{name} {value}" for name, value in machine().items()))
    screen.say()
    for line in tables(measures).splitlines():
        screen.raw(line)
    screen.say()
    screen.say(MEANING)
    for fault in faults:
        screen.say(f"Not as it should be: {fault}", STYLES["FAILED"])
    return 1 if faults else 0


def _measures(bench: Bench, workload: Workload, options: argparse.Namespace) -> Iterator[Measure]:
    """For each delay: fill the queue through the intake, work it off, both at once, both at half that load."""
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
