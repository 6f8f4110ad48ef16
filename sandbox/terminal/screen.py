"""Prints lines for people: words stay whole, nothing is wider than the terminal, colours show states.

Colours come only on a terminal, and not where NO_COLOR is set (https://no-color.org). Where the output is piped, lines
are 80 columns wide unless COLUMNS says otherwise.
"""

import os
import re
import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from sandbox.terminal.ending import reader_gone
from sandbox.terminal.words import wrapped

_WIDEST = 120
_NARROWEST_BODY = 20
_GAP = 2
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
"""A word of a command; in double quotes it may have spaces."""

STYLES = {
    "accepted": "cyan",
    "processing": "cyan",
    "waiting": "yellow",
    "completed": "green",
    "superseded": "blue",
    "no-handler": "magenta",
    "dead-lettered": "bold red",
    "started": "yellow",
    "done": "green",
    "ok": "green",
    "note": "yellow",
    "wrong": "bold red",
    "FAILED": "bold red",
    "WARNING": "yellow",
    "ERROR": "bold red",
    "CRITICAL": "bold red",
}
"""The style of each word that is a state or a level; others have none."""


class Screen:
    """Prints to `out` (standard output unless given). Methods may be called from several threads."""

    def __init__(self, out: TextIO | None = None, *, width: int | None = None) -> None:
        out = sys.stdout if out is None else out
        if hasattr(out, "reconfigure"):
            out.reconfigure(errors="replace")  # a terminal that cannot show every letter shows the others
        self._console = _Console(
            file=out,
            width=width,
            color_system=None if os.environ.get("NO_COLOR") else "auto",
            highlight=False,
            markup=False,
            emoji=False,
        )

    @property
    def width(self) -> int:
        """Columns that lines may take."""
        return min(self._console.width, _WIDEST)

    def say(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """A paragraph."""
        self.beside([(" " * indent, "")] if indent else [], text, style)

    def title(self, text: str) -> None:
        """A heading, with an empty line above."""
        self.say()
        self.say(text, "bold")

    def beside(self, head: Sequence[tuple[str, str]], body: str, style: str = "") -> None:
        """Parts with their styles, and beside them a text that is wrapped in a column of its own."""
        taken = sum(len(part) for part, _ in head)
        lines = wrapped(body, max(self.width - taken, _NARROWEST_BODY))
        first = Text()
        for part, part_style in head:
            first.append(part, part_style)
        self._line(first.append(lines[0], style))
        for line in lines[1:]:
            self._line(Text(" " * taken).append(line, style))

    def entry(self, label: str, text: str, *, label_width: int = 14, indent: int = 2, style: str = "") -> None:
        """A label with a text next to it."""
        self.beside([(f"{' ' * indent}{label:<{label_width}}  ", STYLES.get(label, ""))], text, style)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2) -> None:
        """Aligned columns; the last one is wrapped to the width that is left. A cell that is a state has its colour."""
        widths = [max(len(row[at]) for row in [headers, *rows]) for at in range(len(headers) - 1)]
        for row, style in [(headers, "dim"), *((row, "") for row in rows)]:
            head = [(" " * indent, "")]
            for cell, width in zip(row, widths, strict=False):
                head.append((f"{cell:<{width + _GAP}}", style or STYLES.get(cell, "")))
            self.beside(head, row[-1], style or STYLES.get(row[-1], ""))

    def command(self, line: str, *, indent: int = 2) -> None:
        """A command to copy; if it is too long, it goes on in the next line, as shells allow."""
        lines = [""]
        for word in _WORD.findall(line):
            longer = f"{lines[-1]} {word}".lstrip()
            if lines[-1] and indent + _GAP + len(longer) + len(" \\") > self.width:
                lines.append(word)
            else:
                lines[-1] = longer
        for number, part in enumerate(lines):
            before = " " * (indent if number == 0 else indent + _GAP)
            self._line(Text(f"{before}{part}{'' if number == len(lines) - 1 else ' ' + chr(92)}", "bold"))

    def raw(self, line: str) -> None:
        """A line as it is, however long."""
        self._line(Text(line))

    def _line(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True)


class _Console(Console):
    """Ends the command when nobody reads its output any more."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        reader_gone()


def failures() -> Screen:
    """Print an error to standard error."""
    return Screen(sys.stderr)
