"""Progress of something that takes a while: one changing line on a terminal, a plain line now and then elsewhere.

Standard library only: it also reports the installation of everything else.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from sandbox.terminal.words import duration, wrapped

_PLAIN_SECONDS = 10.0
_SILENT_SECONDS = 30.0
_PLAIN_WIDTH = 80
_REDRAW_SECONDS = 0.2
_LEAST_SECONDS = 0.05
_ESTIMATE_AFTER = 3.0
_MINUTES_FROM = 120.0


class Progress:
    """`with Progress("Measuring", total=12) as progress: progress.show(3, "at half load")`.

    The line says what is being done, how much of it is done, for how long, and about how long it will still take.
    `total` 0 means that nobody knows. On a terminal the time goes on by itself, and the line is erased at the end.
    """

    def __init__(
        self,
        what: str,
        total: int = 0,
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        estimated: bool = True,
    ) -> None:
        self._what = what
        self._out = sys.stdout if out is None else out
        self._clock = clock
        self._estimated = estimated
        self._live = self._out.isatty() and os.environ.get("TERM") != "dumb"
        self._began = clock()
        self._done, self._total, self._note = 0, total, ""
        self._last_plain = self._began
        self._drawn = 0.0
        self._lock = threading.Lock()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._tick, name="progress", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._lock:
            self._erase()

    def show(self, done: int, note: str = "", *, total: int | None = None) -> None:
        """Show how much is done; `note` says what is going on now."""
        with self._lock:
            self._done, self._note = done, note
            self._total = self._total if total is None else total
            if self._live:
                if self._clock() - self._drawn >= _LEAST_SECONDS:
                    self._draw()
            else:
                self._print_after(_PLAIN_SECONDS)

    def say(self, line: str) -> None:
        """A line that stays."""
        with self._lock:
            self._erase()
            print(line, file=self._out, flush=True)

    def line(self) -> str:
        """What the line says now."""
        past = self._clock() - self._began
        parts = [f"{self._done} of {self._total}"] if self._total else [str(self._done)] if self._done else []
        if past >= 1:
            parts.append(duration(past))
        if self._estimated and self._total > self._done > 0 and past >= _ESTIMATE_AFTER:
            parts.append(f"about {_roughly(past / self._done * (self._total - self._done))} left")
        said = f"{self._what}: {', '.join(parts)}" if parts else self._what
        return f"{said}, {self._note}" if self._note else said

    def _fitting(self, width: int) -> str:
        """As many whole words of the line as fit."""
        return wrapped(self.line(), width)[0].rstrip(",")

    def _tick(self) -> None:
        """Update the time while nothing else happens; if the pipe is closed, leave it to the other thread to notice."""
        while not self._over.wait(_REDRAW_SECONDS):
            with self._lock, suppress(BrokenPipeError):
                if self._over.is_set():
                    return
                if self._live:
                    self._draw()
                else:
                    self._print_after(_SILENT_SECONDS)

    def _print_after(self, seconds: float) -> None:
        """Print a plain line, if the last one was long enough ago."""
        if self._clock() - self._last_plain >= seconds:
            self._last_plain = self._clock()
            print(self._fitting(_PLAIN_WIDTH), file=self._out, flush=True)

    def _draw(self) -> None:
        self._drawn = self._clock()
        width = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r{self._fitting(width)[:width]}\033[K")
        self._out.flush()

    def _erase(self) -> None:
        if self._live:
            self._out.write("\r\033[K")
            self._out.flush()


def _roughly(seconds: float) -> str:
    """An estimate: whole seconds, or from two minutes on whole minutes."""
    return f"{max(seconds, 1):.0f} s" if seconds < _MINUTES_FROM else f"{seconds / 60:.0f} min"
