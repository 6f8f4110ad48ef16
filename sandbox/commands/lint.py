"""Check format, types and imports: ruff, mypy, import-linter."""

import argparse

from sandbox.commands.checks import failed_checks
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import listed


def arguments(_: argparse.ArgumentParser) -> None:
    """The command has no options."""


def main(_: argparse.Namespace) -> int:
    """0 if every check passes."""
    failed = failed_checks()
    if failed:
        Screen().say(f"Failed: {listed(failed)}.", "bold red")
    return 1 if failed else 0
