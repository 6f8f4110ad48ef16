"""How the commands of support speak: tables, a line of bars, and a question where something is about to be done."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from integration.cli.desk import Desk
from integration.cli.saying import complain, in_a_line, say

Does = Callable[[Desk, argparse.Namespace], Awaitable[int | None]]
"""What an action does; returns the exit code, None for 0."""

_BARS: Final = " ▁▂▃▄▅▆▇█"


def agreed(question: str, *, yes: bool) -> bool:
    """Whether somebody agrees; nobody can be asked without a terminal, and then nothing is done without --yes."""
    if yes:
        return True
    if not sys.stdin.isatty():
        complain("Nothing is done. Say --yes where nobody can be asked.")
        return False
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def trend(numbers: Sequence[int]) -> str:
    """A line of bars."""
    largest = max([*numbers, 1])
    return "".join(_BARS[-(-it * (len(_BARS) - 1) // largest)] for it in numbers)


def table(rows: Sequence[Sequence[object]], *, heads: Sequence[str]) -> None:
    """Columns beneath each other; nothing is cut."""
    texts = [[in_a_line(it if it is not None else "-") for it in row] for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(heads))]
    for row in texts:
        say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
