"""Change the app's code in small ways, one at a time, and see whether the tests notice.

    run.py mutate --package events --package transport
    run.py mutate --again .sandbox/mutate.json

The changes are made in a copy of the repository. Each is tried with the fast tests that execute the changed lines:
those of tests/unit/integration, tests/flows and tests/contract/integration that need no part of the sandbox but
Azurite. What is not noticed is listed: it is a test that is missing, or a change that makes no difference. Not on
Windows.
"""

import argparse
import json
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from sandbox.commands.here import DEFAULT_STATE, CommandError
from sandbox.commands.session import install_azurite
from sandbox.mutation.forks import POSSIBLE, Forks
from sandbox.mutation.mutants import Mutant, all_mutants, package_of, sample
from sandbox.mutation.record import FailingTestsError, record
from sandbox.mutation.run import NOTICED, Outcome, Share, Trial, shares
from sandbox.mutation.tree import Tree
from sandbox.repository import REPOSITORY
from sandbox.running.state import StateDirectory, new_state
from sandbox.terminal.ending import INTERRUPTED
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import duration, place

_CACHE = DEFAULT_STATE / "mutation-record"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="how many changes to try (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="another seed, another sample (%(default)s)")
    parser.add_argument(
        "--package",
        action="append",
        default=[],
        choices=sorted({package_of(f"integration/{it.name}") for it in (REPOSITORY / "integration").glob("[a-z]*")}),
        metavar="NAME",
        help="only a package or module of integration, such as worker; can be given several times",
    )
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="try again what was not noticed, from this file that --json wrote"
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=DEFAULT_STATE / "mutate.json",
        metavar="FILE",
        help="where the outcomes go (.sandbox/mutate.json)",
    )


def main(options: argparse.Namespace) -> int:
    """0 when all changes were tried, whatever was noticed."""
    screen = Screen()
    if not POSSIBLE:
        screen.say("Each change is tried in a fork, which Windows cannot do.", STYLES["FAILED"])
        return 1
    wanted = _wanted(options)
    install_azurite()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    state = StateDirectory(new_state(DEFAULT_STATE, "mutate"))
    state.open()
    outcomes: list[Outcome] = []
    try:
        tree = Tree(REPOSITORY, state.root / "tree")
        known = record(tree, _CACHE, screen.say)
        with Forks(tree.root) as forks:
            _try_all(wanted, Trial(tree, forks, known), outcomes)
    except FailingTestsError as error:
        screen.say("The tests fail before anything is changed. Let them pass first.", STYLES["FAILED"])
        screen.raw(str(error))
        return 1
    except KeyboardInterrupt:
        screen.say(f"Interrupted; {len(outcomes)} of {len(wanted)} were tried.")
        return INTERRUPTED
    finally:
        state.close()
        shutil.rmtree(state.root, ignore_errors=True)
        if outcomes:
            _write(outcomes, options)
            _show(screen, outcomes)
    screen.say(f"It took {duration(time.monotonic() - began)}. All outcomes are in {place(options.json.absolute())}.")
    return 0


def _wanted(options: argparse.Namespace) -> list[Mutant]:
    mutants = all_mutants(REPOSITORY, options.package)
    if options.again is None:
        return sample(mutants, options.sample, options.seed)
    try:
        outcomes = json.loads(options.again.read_text(encoding="utf-8"))["outcomes"]
        names = [it["name"] for it in outcomes if it["outcome"] != NOTICED]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CommandError(f"{place(options.again.absolute())} is no file that --json has written.") from error
    named = {mutant.name: mutant for mutant in mutants}
    return [named[name] for name in names if name in named]


def _try_all(wanted: list[Mutant], trial: Trial, outcomes: list[Outcome]) -> None:
    with Progress("Changes", len(wanted)) as progress:
        for number, mutant in enumerate(wanted):
            progress.show(number, mutant.path)
            outcome = trial.of(mutant)
            outcomes.append(outcome)
            if outcome.outcome != NOTICED:
                progress.say(f"{outcome.outcome}: {mutant.in_words()}")


def _write(outcomes: list[Outcome], options: argparse.Namespace) -> None:
    options.json.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": options.seed,
        "packages": {it.package: {"noticed": it.noticed, "all": it.all} for it in shares(outcomes)},
        "outcomes": [it.document() for it in outcomes],
    }
    options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _show(screen: Screen, outcomes: list[Outcome]) -> None:
    screen.say()
    lines = [*shares(outcomes), *shares(outcomes, lambda _: "all")]
    column = max(len(it.package) for it in lines) + 2
    for line in lines:
        screen.raw(_line(line, column))
    screen.say()


def _line(share: Share, column: int) -> str:
    return f"{share.package:<{column}}{share.noticed:>4} of {share.all:>4} noticed  {share.percent:>4.0f} %"
