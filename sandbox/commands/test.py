"""Check format, types and imports, then run the tests. Arguments go to pytest, which then runs alone, in one process.

    run.py test
    run.py test tests/unit -k settings

The long tests are those of run.py chaos.
"""

import argparse
import os

from sandbox.commands.checks import failed_checks, run_pytest
from sandbox.commands.session import install_azurite
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import listed

PASSES_ON = True

# The tests wait more than they compute, so there is one more process than cores. The tests of a file stay together,
# because fixtures are expensive. More than four processes would only make timing tests wait for each other.
_PROCESSES = min((os.cpu_count() or 2) + 1, 4)
DEFAULT = ["-n", str(_PROCESSES), "--dist", "loadfile"]
CHECKS_FAILED = 10
"""The exit status if a check fails, whatever the tests do; pytest has 1 for failed tests, and 2 to 5."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options are pytest's."""
    parser.usage = "run.py test [-h] [pytest's arguments ...]"


def main(options: argparse.Namespace) -> int:
    """The exit status is pytest's, or `CHECKS_FAILED`."""
    failed = [] if options.passed_on else failed_checks()
    install_azurite()  # once, before several processes need it
    status = run_pytest(options.passed_on or DEFAULT, title="Tests")
    if failed:
        Screen().say(f"Failed: {listed(failed)}.", "bold red")
    return CHECKS_FAILED if failed else status
