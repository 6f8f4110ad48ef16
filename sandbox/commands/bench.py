"""Compare the app with plain programs that do the same job, and check the project's goals.

Every subject gets the same captured webhooks and makes the same calls to the same systems outside; they are measured in
turns. The figures also go to a JSON file. Linux only. Exits with 1 when an accepted event was lost, or had its effect
more than once.
"""

import argparse
import json
import shutil
import signal
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import requests

from sandbox.bench import proc, report
from sandbox.bench.drain import TooShortError
from sandbox.bench.environment import EnvironmentFailedError
from sandbox.bench.measures import LoadRefusedError
from sandbox.bench.run import Choice, Results, run
from sandbox.commands.here import DEFAULT_STATE
from sandbox.commands.session import START_FAILURES
from sandbox.repository import REPOSITORY
from sandbox.running.state import new_state
from sandbox.terminal.ending import INTERRUPTED
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import duration, place

_BEFORE = "854e4a7"
_FAILURES = (
    *START_FAILURES,
    EnvironmentFailedError,
    LoadRefusedError,
    TooShortError,
    TimeoutError,
    ProcessLookupError,
    subprocess.CalledProcessError,
    requests.RequestException,
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--quick", action="store_true", help="one short round: does it all work?")
    parser.add_argument("--growth", action="store_true", help="instead: 50,000 events, does anything grow with them?")
    parser.add_argument("--import", action="store_true", dest="imports", help="instead: only the cold import")
    parser.add_argument("--telemetry", action="store_true", help="instead: what spans, metrics and logs cost")
    parser.add_argument(
        "--events", type=int, metavar="N", help="events of each measure (2000; quick: 150; growth: 50000)"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every subject (3; quick: 1)")
    parser.add_argument(
        "--delays", type=_delays, metavar="MS,MS", help="end to end, outside answers in so many ms (0,100; quick: 0)"
    )
    parser.add_argument("--connections", type=int, default=16, metavar="N", help="of the load generator (%(default)s)")
    parser.add_argument(
        "--app", type=Path, default=REPOSITORY, metavar="DIR", help="measure another version of the app: its folder"
    )
    parser.add_argument(
        "--before", default=_BEFORE, metavar="COMMIT", help="the commit to compare with; empty: none (%(default)s)"
    )
    parser.add_argument("--alone", action="store_true", help="without the plain programs")
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_STATE / "bench.json",
        metavar="FILE",
        help="where the figures go (.sandbox/bench.json)",
    )


def main(options: argparse.Namespace) -> int:
    """0 when nothing was lost."""
    screen = Screen()
    if not proc.MEASURABLE:
        screen.say("The bench reads /proc, which only Linux has.", STYLES["FAILED"])
        return 1
    state = new_state(DEFAULT_STATE, "bench")
    began = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        results = run(_choice(options), state, lambda line: screen.say(line, indent=2))
    except _FAILURES as failure:
        screen.say()
        screen.say(f"The measures stop here: {failure}", STYLES["FAILED"])
        screen.say(f"The log of each process is below {place(state)}.")
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(state)
        return INTERRUPTED
    _write(results, options)
    _show(screen, results)
    screen.say()
    if results.faults:
        screen.say(f"The log of each process is below {place(state)}.")
        return 1
    shutil.rmtree(state)
    screen.say(f"Nothing was lost, nothing was done twice. It took {duration(time.monotonic() - began)}.", "bold")
    screen.say(f"The figures are in {place(options.json.absolute())}.")
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _delays(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _choice(options: argparse.Namespace) -> Choice:
    usual = 50_000 if options.growth else 150 if options.quick else 2_000
    return Choice(
        app=options.app.resolve(),
        before=options.before or None,
        comparators=not options.alone,
        only_growth=options.growth,
        only_import=options.imports,
        only_telemetry=options.telemetry,
        events=options.events or usual,
        rounds=options.rounds or (1 if options.quick else 3),
        delays=options.delays or ([0] if options.quick else [0, 100]),
        connections=options.connections,
    )


def _write(results: Results, options: argparse.Namespace) -> None:
    options.json.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": report.machine(),
        **results.document(),
    }
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _show(screen: Screen, results: Results) -> None:
    screen.say()
    screen.say(", ".join(f"{name} {value}" for name, value in report.machine().items()))
    measured = list(results.measured.values())
    if measured:
        _raw(screen, report.comparison(measured))
        screen.say()
        screen.say(report.MEANING)
        _raw(screen, report.parts_table(measured))
    if results.telemetry:
        _raw(screen, report.telemetry_table(results.telemetry))
    if results.end_to_end:
        _raw(screen, report.end_to_end_table(results.end_to_end))
    _raw(screen, report.goals_table(results.goals()))
    screen.say()
    for name, count in results.repeated.items():
        if count:
            screen.say(f"{name}: {count} write-backs were made again after an interruption, which changes nothing.")
    for line in results.left_out:
        screen.say(f"Left out: {line}", STYLES["note"])
    for line in results.faults:
        screen.say(f"Not as it should be: {line}", STYLES["FAILED"])


def _raw(screen: Screen, text: str) -> None:
    screen.say()
    for line in text.splitlines():
        screen.raw(line)
