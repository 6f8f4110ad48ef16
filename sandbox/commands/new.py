"""Make a flow: what the rows of a table mean to another system. Writes its declaration, its test and its page.

    run.py new flow lead --system marketing
    run.py new flow new_visit --system facilities --entity-set new_visits

What it writes works as it is: it sends a row's name and state. Change it to what your system wants.
"""

import argparse
import subprocess
import sys

from sandbox.commands.here import CommandError
from sandbox.commands.scaffold import NewFlow, ScaffoldError
from sandbox.repository import REPOSITORY
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import PYTHON


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("kind", choices=["flow"], help="what to make")
    parser.add_argument("table", help="logical name of the table, such as lead or new_visit")
    parser.add_argument("--system", required=True, help="name of the system in the settings, such as marketing")
    parser.add_argument("--entity-set", help="the Web API's name of the table, where it is no plain plural")


def main(options: argparse.Namespace) -> int:
    """0 when the files are there."""
    try:
        written = NewFlow(REPOSITORY, options.table, options.system, options.entity_set).write()
    except ScaffoldError as error:
        raise CommandError(str(error)) from error
    python = [str(path) for path in written if path.suffix == ".py"]
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", *python], cwd=REPOSITORY, check=True)  # noqa: S603 -- our own files
    pages = subprocess.run(
        [sys.executable, "-m", "documentation", "--write", "--no-site"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if pages.returncode:
        raise CommandError(pages.stdout + pages.stderr)
    screen = Screen()
    for path in written:
        screen.say(f"written: {path.relative_to(REPOSITORY).as_posix()}")
    screen.say(
        f"Its pages and the steps in the sandbox follow from it. After each change: {PYTHON} run.py docs --write"
    )
    screen.say(f"Its test: {PYTHON} run.py test tests/flows/test_{options.table}.py")
    return 0
