"""One process of the sandbox: starting, watching and ending it."""

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.machine.reaper import Reaper, kill_group, own_session

_LAST_LINES = 25
_PROBE_SECONDS = 2.0

if sys.platform == "win32":
    _PLEASE_STOP = signal.CTRL_BREAK_EVENT
else:
    _PLEASE_STOP = signal.SIGTERM


class StartError(Exception):
    """A process ended or did not become ready; the message has the last lines of its log."""


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """A process is ready when this address answers with one of `statuses`, and the body holds `text`."""

    url: str
    statuses: tuple[int, ...] = (200,)
    text: str = ""
    unverified: bool = field(default=False, kw_only=True)

    def __call__(self) -> bool:
        # This checks only readiness; the clients of the address verify the certificate.
        context = ssl._create_unverified_context() if self.unverified else None  # noqa: S323, SLF001 -- as above
        try:
            with urllib.request.urlopen(self.url, timeout=_PROBE_SECONDS, context=context) as answer:  # noqa: S310 -- our own http(s) address
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        except (OSError, ValueError):
            return False
        return status in self.statuses and self.text.encode() in body


@dataclass(frozen=True, slots=True)
class Program:
    """What to run under a name, how to see that it is ready, and how long it may take to end, in seconds."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = 5.0


class Process:
    """A program and its process, if it runs. Not safe for concurrent use: the supervisor holds a lock."""

    def __init__(self, program: Program, log: Path, reaper: Reaper, cwd: Path) -> None:
        self.program = program
        self.log = log
        self.wanted = False
        """Whether it was ready and should be running: if it is not running, it has died by itself."""
        self.environment = dict(program.environment)
        self._reaper = reaper
        self._cwd = cwd
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def exit_status(self) -> int | None:
        """How the last run ended; None while it runs or when there was none."""
        return None if self._popen is None else self._popen.poll()

    def start(self) -> None:
        """Start it; output goes to the end of its log."""
        if self.pid is not None:
            return
        self._ended()
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._popen = subprocess.Popen(  # noqa: S603 -- the sandbox's own programs
                self.program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
                **own_session(),  # type: ignore[call-overload] # one of two keyword sets
            )
        self._reaper.watch(self._popen.pid)

    def request_stop(self) -> None:
        """Ask it to end; `finish` waits for that."""
        self.wanted = False
        if self._popen is not None and self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._popen.send_signal(_PLEASE_STOP)

    def finish(self) -> bool:
        """Wait until it has ended, and kill it when its time is over; False if it had to be killed."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(self.program.stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._ended()
        return True

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self.wanted = False
        if self._popen is not None and self._popen.poll() is None:
            kill_group(self._popen.pid)
            self._popen.wait()
        self._ended()

    def wait_ready(self, deadline: float, cancelled: Callable[[], bool]) -> None:
        """Wait until it is ready; raises `StartError` when it ends first or `deadline` (time.monotonic) passes."""
        while not self.program.ready():
            if cancelled():
                raise StartError("The start was interrupted.")
            if self.pid is None:
                raise StartError(
                    self._with_log(f"{self.name} ended with status {self.exit_status} before it was ready")
                )
            if time.monotonic() > deadline:
                raise StartError(self._with_log(f"{self.name} was not ready in time"))
            time.sleep(0.05)
        self.wanted = True

    def last_lines(self) -> list[str]:
        """The last lines that its last run has written."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace").splitlines()[-_LAST_LINES:]

    def _ended(self) -> None:
        if self._popen is not None:
            self._reaper.forget(self._popen.pid)

    def _with_log(self, failure: str) -> str:
        lines = "\n".join(f"  | {line}" for line in self.last_lines())
        return f"{failure}. The last lines of {self.log}:\n{lines or '  | (none)'}"
