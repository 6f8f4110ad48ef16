"""A process that outlives the supervisor by a moment, to end the processes that it left behind.

The supervisor writes `+PID` for each process it starts and `-PID` for each that has ended, to the reaper's standard
input. When the supervisor ends, in whatever way (kill -9 included), that pipe closes, and the reaper kills the
processes that are still listed. A pipe works the same way on Linux, macOS and Windows, and needs no
help from the processes.
"""

import contextlib
import os
import signal
import subprocess
import sys

from sandbox.repository import REPOSITORY

_KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


def own_session() -> dict[str, int | bool]:
    """Popen's arguments that keep the terminal's Ctrl-C away from a process: only the supervisor is to hear it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def kill_group(pid: int) -> None:
    """Kill a process and what it has started itself; does nothing when it no longer runs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(pid, _KILL)  # TerminateProcess
        else:
            os.killpg(pid, _KILL)


class Reaper:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.machine.reaper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=REPOSITORY,
            **own_session(),  # type: ignore[call-overload] # one of two keyword sets
        )

    def watch(self, pid: int) -> None:
        """End this process when the supervisor ends."""
        self._tell(f"+{pid}")

    def forget(self, pid: int) -> None:
        """This process has ended."""
        self._tell(f"-{pid}")

    def close(self) -> None:
        """Let the reaper kill what is still listed, and wait until it has ended."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(BrokenPipeError):  # someone has ended the reaper
                pipe.write(f"{line}\n")
                pipe.flush()


def main() -> None:
    """Read the supervisor's list until the pipe closes."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    alive: set[int] = set()
    for line in sys.stdin:
        change, pid = line[0], int(line[1:])
        (alive.add if change == "+" else alive.discard)(pid)
    for pid in alive:
        kill_group(pid)


if __name__ == "__main__":
    main()
