"""What the demo prints: plain lines, coloured only on a terminal (and not where NO_COLOR is set)."""

import os
import sys
from typing import TextIO

_STAGE_WIDTH = 10


class Screen:
    """Lines for whoever watches."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._coloured = out.isatty() and "NO_COLOR" not in os.environ

    def say(self, line: str = "") -> None:
        """A line as it is."""
        print(line, file=self._out, flush=True)

    def title(self, line: str) -> None:
        """The heading of a scene."""
        self.say()
        self.say(self._paint(line, "1"))

    def note(self, line: str) -> None:
        """A remark below a heading."""
        self.say(self._paint(f"     {line}", "2"))

    def stop(self, milliseconds: float, stage: str, what: str) -> None:
        """One stop of an event, so many milliseconds after it set out."""
        self.say(f"  {milliseconds:6.0f} ms  {self._paint(stage.ljust(_STAGE_WIDTH), '36')}  {what}")

    def verdict(self, holds: bool, claim: str, seen: str) -> None:
        """One line of the summary."""
        mark = self._paint("ok    ", "32") if holds else self._paint("FAILED", "1;31")
        self.say(f"  {mark}  {claim}: {seen}")

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._coloured else text
