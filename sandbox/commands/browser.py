"""Look at the console in a real browser: every page, every journey, accessibility; and make the pictures of the docs.

    run.py browser
    run.py browser --pictures

Needs Chromium on PATH, or its program in the variable CHROMIUM, and npm for the accessibility checks. A few of these
tests are part of run.py test too.
"""

import argparse
import os

from sandbox.commands.checks import run_pytest
from sandbox.repository import REPOSITORY

PASSES_ON = True
_PICTURES = REPOSITORY / "docs" / "assets"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options; others are pytest's."""
    parser.add_argument("--pictures", action="store_true", help="write the pictures of README and docs anew")


def main(options: argparse.Namespace) -> int:
    """The exit status is pytest's."""
    os.environ["CONSOLE_BROWSER"] = "thorough"
    if options.pictures:
        os.environ["CONSOLE_PICTURES"] = str(_PICTURES)
    return run_pytest(["tests/browser", "-n", "0", *options.passed_on], title="Console in a browser")
