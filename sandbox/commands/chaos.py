"""Run the long tests: kills, faults, and the checker that judges what came of them. Other arguments go to pytest.

    run.py chaos
    run.py chaos tests/chaos/app -k kill

The figures of what passes are kept in docs/evidence.
docs/explanation/reliability.md says what they do and how to make them longer.
"""

import argparse
import os

from sandbox.commands.checks import run_pytest
from sandbox.repository import REPOSITORY

PASSES_ON = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options are pytest's."""
    parser.usage = "run.py chaos [-h] [pytest's arguments ...]"


def main(options: argparse.Namespace) -> int:
    """The exit status is pytest's."""
    os.environ.setdefault("CHAOS_EVIDENCE", str(REPOSITORY / "docs" / "evidence"))
    return run_pytest(["-m", "slow", *options.passed_on], title="Long tests")
