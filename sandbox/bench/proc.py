"""What Linux reports about processes: their CPU time and memory, and the cores on which they run. See proc(5)."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

MEASURABLE = Path("/proc/self/stat").exists()
"""Whether this machine reports what is needed: Linux does, other systems do not."""

_MEBIBYTE = 1024
_ENDED = "Z"


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has taken, with all its threads (fields 14 and 15 of /proc/PID/stat).

    Raises `ProcessLookupError` when it has ended.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        raise ProcessLookupError(f"the process {pid}, which is measured, has ended") from None
    if fields[0] == _ENDED:
        raise ProcessLookupError(f"the process {pid}, which is measured, has ended")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Memory that a process holds at this moment (VmRSS), in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / _MEBIBYTE


def ours() -> float:
    """CPU seconds of this process and of all that it has started, those that have ended included."""
    ended = os.times()
    total = ended.children_user + ended.children_system
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            total += cpu_seconds(pid)
    return total


def descendants(pid: int) -> list[int]:
    """A process and all that it has started, directly or not, and that still run."""
    found = [pid]
    for each in found:
        for task in _tasks(each):
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{each}/task/{task}/children").read_text(encoding="utf-8")
                found += [int(child) for child in children.split()]
    return found


def machine() -> float:
    """The time in which cores were not idle: fields 1 to 8 of /proc/stat without idle and iowait, in seconds."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    user, nice, system, _, _, irq, soft, steal = map(int, fields[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


class Elsewhere:
    """How many cores other programs on this machine have kept busy since this was made."""

    def __init__(self) -> None:
        self._at, self._machine, self._ours = time.monotonic(), machine(), ours()

    def cores(self) -> float:
        """The mean; 0 on a machine that does nothing else."""
        return max(0.0, machine() - self._machine - (ours() - self._ours)) / (time.monotonic() - self._at)


class Cores:
    """Keeps one core free for what is measured; everything else runs on the others.

    On a machine with one core nothing is pinned.
    """

    def __init__(self) -> None:
        self._all = sorted(os.sched_getaffinity(0))
        self.pinned = len(self._all) > 1
        self._measured, self._others = (set(self._all[:1]), set(self._all[1:])) if self.pinned else (set(), set())

    def leave_one_free(self) -> None:
        """Move this process, and so all that it starts from now on, off the core that is kept free."""
        if self.pinned:
            os.sched_setaffinity(0, self._others)

    def release(self) -> None:
        """Let this process run anywhere again."""
        if self.pinned:
            os.sched_setaffinity(0, self._all)

    @contextlib.contextmanager
    def given_to(self, pid: int) -> Iterator[None]:
        """Within the block that process has the free core to itself, and no other."""
        self._pin(pid, self._measured)
        try:
            yield
        finally:
            self._pin(pid, self._others)

    def _pin(self, pid: int, cores: set[int]) -> None:
        if not self.pinned:
            return
        for task in _tasks(pid):
            with contextlib.suppress(ProcessLookupError):  # the thread has just ended
                os.sched_setaffinity(task, cores)


def _tasks(pid: int) -> list[int]:
    try:
        return [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return []
