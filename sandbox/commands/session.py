"""Runs a sandbox for a command: signals stop it in an orderly way, and failures are printed without a traceback."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from sandbox.azure import azurite
from sandbox.azure.npm import NpmInstallError
from sandbox.machine.ports import PortTakenError
from sandbox.machine.process import StartError
from sandbox.repository import TOOLS
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import RegistrationError
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import StateInUseError
from sandbox.terminal.ending import INTERRUPTED
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import failures

START_FAILURES = (PortTakenError, StateInUseError, StartError, NpmInstallError, RegistrationError, ValueError)

if sys.platform == "win32":
    _SIGNALS = (signal.SIGINT, signal.SIGTERM)
else:
    _SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP came while the sandbox ran."""


def run_with(sandbox: Sandbox, work: Callable[[Endpoints], int], *, fresh: bool = False) -> int:
    """Start the sandbox, do `work` and stop it again; the exit status of the command.

    An interrupted start or an interrupted `work` raises nothing here: the status is `INTERRUPTED`.
    """
    up = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        sandbox.cancel()
        if up:
            raise Interrupted

    try:
        install_azurite()
    except NpmInstallError as failure:
        print_failure(failure)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    _on_signals(interrupt)
    try:
        try:
            reached = sandbox.start(fresh=fresh)
        except START_FAILURES as failure:
            print_failure(failure)
            return 1
        try:
            up = True
            return work(reached)
        finally:
            up = False
    except Interrupted:
        return INTERRUPTED
    finally:
        _on_signals(signal.SIG_IGN)
        sandbox.stop()
        for number, handler in before.items():  # otherwise a process started later would ignore these signals too
            signal.signal(number, handler or signal.SIG_DFL)


def install_azurite() -> None:
    """Install Azurite once, and show the progress; raises `NpmInstallError`."""
    if azurite.is_installed(TOOLS):
        return
    with Progress("Packages fetched") as progress:
        azurite.installed(TOOLS, progress.say, lambda done, total: progress.show(done, total=total))


def print_failure(failure: Exception) -> None:
    """The message of a failure; its lines stay as they are, as some quote a log."""
    screen = failures()
    screen.say()
    for line in str(failure).splitlines():
        if line.startswith(" "):
            screen.raw(line)
        else:
            screen.say(line)


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in _SIGNALS:
        signal.signal(number, handler)
