"""The scenarios of `run.py chaos`: lists them, runs them, and keeps the figures of those that pass in docs/evidence."""

import argparse
import logging
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.commands.here import DEFAULT_STATE
from sandbox.commands.session import START_FAILURES, install_azurite
from sandbox.running.erp import DEFAULT, ERPS
from sandbox.running.state import StateDirectory, new_state
from sandbox.terminal.ending import INTERRUPTED
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import PYTHON, duration, listed, place
from tests.chaos import evidence
from tests.chaos.app.checker import PROMISES
from tests.chaos.scenario import Run, Scenario
from tests.chaos.scenarios import (
    broker,
    bulk,
    busy,
    crash_points,
    erp_answers,
    first_load,
    intake,
    kills,
    large_events,
    lost,
    outage,
    races,
    restores,
    sinks,
    storage,
    webhooks,
)

SCENARIOS = [
    *kills.SCENARIOS,
    *intake.SCENARIOS,
    *bulk.SCENARIOS,
    *crash_points.SCENARIOS,
    *erp_answers.SCENARIOS,
    *races.SCENARIOS,
    *busy.SCENARIOS,
    *outage.SCENARIOS,
    *lost.SCENARIOS,
    *first_load.SCENARIOS,
    *restores.SCENARIOS,
    *storage.SCENARIOS,
    *webhooks.SCENARIOS,
    *sinks.SCENARIOS,
    *large_events.SCENARIOS,
    *broker.SCENARIOS,
]
ALL = "all"


def main(arguments: list[str]) -> int:
    """Run scenarios; without a name, list them. The exit status is 1 if one falls short, 2 if one does not exist."""
    parser = argparse.ArgumentParser(prog="run.py chaos", add_help=False)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO")
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--erp", choices=sorted(ERPS), default=DEFAULT)
    parser.add_argument("--keep", type=Path, default=evidence.FOLDER)
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE)
    given = parser.parse_args(arguments)
    screen = Screen()
    if not given.scenarios:
        list_scenarios(screen)
        return 0
    names = [scenario.name for scenario in SCENARIOS]
    unknown = [name for name in given.scenarios if name not in {*names, ALL}]
    if unknown:
        screen.say(f"There is no scenario {listed(unknown, 'or')}. {PYTHON} run.py chaos lists the scenarios.")
        return 2
    chosen = [scenario for scenario in SCENARIOS if ALL in given.scenarios or scenario.name in given.scenarios]
    if ALL in given.scenarios:
        chosen = [scenario for scenario in chosen if given.erp in scenario.erps]
    elif other := [scenario.name for scenario in chosen if given.erp not in scenario.erps]:
        can = [scenario.name for scenario in SCENARIOS if given.erp in scenario.erps]
        screen.say(f"{listed(other)} cannot be run with --erp {given.erp}; {listed(can)} can.")
        return 2
    install_azurite()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failed = [scenario.name for scenario in chosen if not run_scenario(scenario, screen, given)]
    except KeyboardInterrupt:
        screen.say("Interrupted: nothing is kept of this scenario.")
        return INTERRUPTED
    if len(chosen) > 1:
        screen.say(f"{len(chosen) - len(failed)} of {len(chosen)} scenarios hold.", "bold")
    if failed:
        screen.say(f"Short: {listed(failed)}.", STYLES["FAILED"])
    return 1 if failed else 0


def list_scenarios(screen: Screen) -> None:
    """All scenarios, and how long they take."""
    screen.say("Scenarios, with their minutes on two cores, and those of --night:")
    screen.say()
    rows = [
        (scenario.name, str(scenario.minutes), str(scenario.night_minutes), scenario.does) for scenario in SCENARIOS
    ]
    screen.table(("scenario", "min", "night", "what it does"), rows)
    screen.say()
    screen.say(f"{PYTHON} run.py chaos NAME [NAME ...] runs some of them, {PYTHON} run.py chaos {ALL} runs all.")


def run_scenario(scenario: Scenario, screen: Screen, given: argparse.Namespace) -> bool:
    """Run one scenario and say what came of it; whether it holds.

    Where it falls short, its folder stays until the scenario is run again.
    """
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    screen.title(f"{scenario.name}: {scenario.does}")
    version, began = evidence.version(), time.monotonic()
    with _folder(given.state, scenario.name) as folder:
        with _logged(folder / "chaos.log"), Progress(scenario.name) as progress:
            run = Run(folder, progress, seed, night=given.night, erp=given.erp)
            _run(scenario, run)
        if not run.short:
            shutil.rmtree(folder)
    run.figures["seconds"] = round(time.monotonic() - began)
    _show(screen, run)
    if run.short:
        screen.say(f"It falls short. Logs and what was seen are in {place(folder)}.", STYLES["FAILED"])
        for line in run.short:
            screen.raw(f"  {line}")
        return False
    of_erp = "" if given.erp == DEFAULT else given.erp
    name = "-".join(filter(None, (scenario.name, of_erp, "night" if given.night else "")))
    options = f"{f' --erp {of_erp}' if of_erp else ''}{' --night' if given.night else ''} --seed {seed}"
    command = f"python3 run.py chaos {scenario.name}{options}"
    kept = evidence.keep(name, command, run.figures, of=version, folder=given.keep)
    screen.say(f"It holds, after {duration(time.monotonic() - began)}; the figures are in {place(kept)}.", STYLES["ok"])
    return True


@contextmanager
def _folder(home: Path, name: str) -> Iterator[Path]:
    """A folder for one run, which no other run removes meanwhile; nothing is left of one that is interrupted."""
    state = StateDirectory(new_state(home, f"chaos-{name}"))
    state.open()
    try:
        yield state.root
    except KeyboardInterrupt:
        shutil.rmtree(state.root, ignore_errors=True)
        raise
    finally:
        state.close()


def _run(scenario: Scenario, run: Run) -> None:
    try:
        scenario.run(run)
    except START_FAILURES as failure:
        run.short.append(str(failure))
    except Exception as failure:  # noqa: BLE001 -- whatever it is, the scenario has not come to its end
        run.short += [f"It ended early: {failure!r}", *traceback.format_exc().splitlines()[-12:]]


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """What is struck when, for whoever looks into a run that falls short."""
    handler, root = logging.FileHandler(path), logging.getLogger("chaos")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def _show(screen: Screen, run: Run) -> None:
    promised = {name: run.figures[name] for name in PROMISES if name in run.figures}
    screen.say(", ".join(f"{name} {count}" for name, count in promised.items()), "bold")
    screen.say(", ".join(f"{name} {value}" for name, value in run.figures.items() if name not in promised))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
