"""Commands on a terminal of a given width, as a person sees them."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping

from sandbox.repository import REPOSITORY

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# A process of a new session makes the terminal its own, so that Ctrl-C there becomes a signal, and then is the command.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A command of run.py on a pseudo-terminal."""

    def __init__(self, *arguments: str, width: int = 80, environ: Mapping[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        removed = ("NO_COLOR", "COLUMNS", "FORCE_COLOR", "PYTEST_CURRENT_TEST")
        own = {name: value for name, value in os.environ.items() if name not in removed}
        self.process = subprocess.Popen(  # noqa: S603 -- run.py
            [sys.executable, "-c", _TAKE_TERMINAL, sys.executable, "-m", "sandbox.commands", *arguments],
            cwd=REPOSITORY,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**own, "TERM": "xterm-256color", **(environ or {})},
            start_new_session=True,
        )
        os.close(slave)
        self._output = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def raw(self) -> str:
        """All that was written, with its escapes."""
        return self._output.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """Every line that was to be seen at some time, without escapes."""
        return [line.rstrip() for line in re.split(r"[\r\n]+", _ESCAPES.sub("", self.raw))]

    @property
    def text(self) -> str:
        """The words, as if there were no lines."""
        return " ".join(_ESCAPES.sub("", self.raw).split())

    def press_ctrl_c(self) -> None:
        """As the keyboard does: the terminal makes a signal of it."""
        os.write(self._master, b"\x03")

    def ended(self, within: float = 60.0) -> int:
        """The exit status, once it has ended and all of its output is here."""
        status = self.process.wait(within)
        self._reader.join(10)
        return status

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 65_536)
            except OSError:  # the other end is closed
                chunk = b""
            if not chunk:
                os.close(self._master)
                return
            self._output += chunk
