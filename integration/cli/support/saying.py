"""How the commands speak: lines for people, JSON for programs, and a question where something is about to be done."""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from integration.cli.desk import Desk

Does = Callable[[Desk, argparse.Namespace], Awaitable[int | None]]
"""What an action does; returns the exit code, None for 0."""

_BARS: Final = " ▁▂▃▄▅▆▇█"


def as_json(answer: Mapping[str, Any]) -> None:
    """The app's answer, for programs."""
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def agreed(question: str, *, yes: bool) -> bool:
    """Whether somebody agrees; nobody can be asked without a terminal, and then nothing is done without --yes."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print("Nothing is done. Say --yes where nobody can be asked.", file=sys.stderr)
        return False
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


def trend(numbers: Sequence[int]) -> str:
    """A line of bars."""
    largest = max([*numbers, 1])
    return "".join(_BARS[-(-it * (len(_BARS) - 1) // largest)] for it in numbers)


def table(rows: Sequence[Sequence[object]], *, heads: Sequence[str]) -> None:
    """Columns beneath each other; nothing is cut."""
    texts = [[str(it if it is not None else "-") for it in row] for row in (heads, *rows)]
    widths = [max(len(row[at]) for row in texts) for at in range(len(heads))]
    for row in texts:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
