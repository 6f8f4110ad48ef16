"""CPU time by part: each process of the sandbox, and within the two hosts function code and the app's own threads."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from sandbox.machine.ports import LOOPBACK
from sandbox.running.sandbox import Sandbox

Seconds = dict[str, float]

HOSTS = {"host-http": "intake", "host-events": "worker"}
"""The hosts by process name, and which part of the app they run."""

_ARCHIVE = "archive_events"

ELSEWHERE = "other programs on this machine"

_POOL = "ThreadPoolExecutor"
"""Where the hosts run sync functions. An async one runs on the main thread, and its steps are timed by the host."""

_APP_THREADS = {"work-queue": "sending to the queue", "event-hub": "publishing", "ledger": "writing the ledger"}
"""The app's own threads: beginnings of their names, and what they do. All others are the host's."""


class Meter:
    """Reads CPU seconds by part, since each process began.

    The hosts say theirs (GET /admin/stats); the others are read from /proc, and are left out where there is none.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._processes = sandbox.processes
        self._ports = {"host-http": sandbox.ports.functions, "host-events": sandbox.ports.events_host}
        self._session = requests.Session()
        self._session.trust_env = False

    def read(self) -> Seconds:
        """CPU seconds by part; a process that is down has none."""
        found: Seconds = {}
        total = 0.0
        for name in self._processes.names:
            pid = self._processes.pid(name)
            if pid is None:
                continue
            seconds = _of_process(pid)
            total += seconds or 0.0
            if name in HOSTS:
                found |= dict(self._of_host(name))
            elif seconds is not None:
                found[name] = seconds
        busy = _of_machine()
        if busy is not None:
            found[ELSEWHERE] = busy - total
        return found

    def _of_host(self, name: str) -> Iterator[tuple[str, float]]:
        stats: dict[str, Any] = self._session.get(
            f"http://{LOOPBACK}:{self._ports[name]}/admin/stats", timeout=30
        ).json()
        part, functions, threads = HOSTS[name], stats["functions"], stats["threadSeconds"]
        pool = sum(seconds for thread, seconds in threads.items() if thread.startswith(_POOL))
        archive = functions.get(_ARCHIVE, {}).get("functionSeconds", 0.0)
        code = stats["functionSeconds"] if name == "host-http" else pool - archive
        own: Counter[str] = Counter()
        for thread, seconds in threads.items():
            for beginning, work in _APP_THREADS.items():
                if thread.startswith(beginning):
                    own[f"{part}: {work}"] += seconds
        yield f"{part}: function code", code
        yield from own.items()
        if name == "host-events":
            yield "archive: function code", archive
        yield f"{part}: Functions host", stats["processSeconds"] - code - archive - own.total()


def spent(before: Seconds, after: Seconds) -> Seconds:
    """The difference, in the order of `after`."""
    return {part: seconds - before.get(part, 0.0) for part, seconds in after.items()}


def _of_process(pid: int) -> float | None:
    """User and system time of a process; fields 14 and 15 of /proc/PID/stat (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _ticks()


def _of_machine() -> float | None:
    """What all processors have done that was not idling: fields 1 to 8 of /proc/stat without idle and iowait."""
    try:
        fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _, _, irq, soft, steal = map(int, fields[1:9])
    return (user + nice + system + irq + soft + steal) / _ticks()


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")
