"""Running a sandbox under a command: signals stop it in good order, failures are told without a traceback."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from sandbox.azure.azurite import AzuriteInstallError
from sandbox.machine.ports import PortTakenError
from sandbox.machine.process import StartError
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import RegistrationError
from sandbox.running.sandbox import Sandbox
from sandbox.running.state import StateInUseError

START_FAILURES = (PortTakenError, StateInUseError, StartError, AzuriteInstallError, RegistrationError, ValueError)

INTERRUPTED = 130
"""The exit status of a command that a signal has ended."""


class Interrupted(BaseException):
    """SIGINT, SIGTERM or SIGHUP came while the sandbox was up."""


def run_with(sandbox: Sandbox, work: Callable[[Endpoints], int], *, fresh: bool = False) -> int:
    """Start the sandbox, do `work` and stop it again; the exit status of the command.

    An interrupted start or an interrupted `work` raises nothing here: the status is `INTERRUPTED`.
    """
    up = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        sandbox.cancel()
        if up:
            raise Interrupted

    _on_signals(interrupt)
    try:
        try:
            reached = sandbox.start(fresh=fresh)
        except START_FAILURES as failure:
            print(f"\n{failure}", file=sys.stderr)
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


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, handler)


def say(line: str) -> None:
    """A line for whoever watches."""
    print(line, flush=True)
