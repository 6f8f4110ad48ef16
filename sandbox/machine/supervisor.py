"""Starts processes group by group, watches over them and stops them in reverse order, leaving none behind."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox.machine.process import Process, Program, StartError
from sandbox.machine.reaper import Reaper
from sandbox.terminal.words import listed

_READY_SECONDS = 60.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 60.0


def silent(_: str) -> None:
    """Say nothing."""


class Supervisor:
    """Processes by name, each with its log in `logs`, run in `cwd`. Methods may be called from any thread."""

    def __init__(self, logs: Path, cwd: Path, say: Callable[[str], None] = silent) -> None:
        self._logs = logs
        self._cwd = cwd
        self._say = say
        self._reaper = Reaper()
        self._groups: list[list[Process]] = []
        self._processes: dict[str, Process] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def run(self, group: Sequence[Program]) -> None:
        """Start these programs together and wait until all are ready; raises `StartError`."""
        processes = [Process(program, self._logs / f"{program.name}.log", self._reaper, self._cwd) for program in group]
        self._groups.append(processes)
        began = time.monotonic()
        for process in processes:
            if self._stopping.is_set():
                raise StartError("The start was interrupted.")
            self._processes[process.name] = process
            process.start()
        for process in processes:
            self.wait_ready(process.name)
        names = listed([process.name for process in processes])
        self._say(f"Started {names} in {time.monotonic() - began:.1f} s.")

    def watch(self) -> None:
        """From now on restart every process that dies by itself, after growing pauses."""
        self._watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Stop everything, the last group first; a process that does not end in time is killed."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
        with self._lock:
            for group in reversed(self._groups):
                self._stop(group)
            self._reaper.close()

    def cancel(self) -> None:
        """Make a `run` that is under way give up; may be called from a signal handler."""
        self._stopping.set()

    @property
    def names(self) -> list[str]:
        """The processes' names, in the order they are started."""
        return list(self._processes)

    def pid(self, name: str) -> int | None:
        """The process id of a process while it runs."""
        return self._processes[name].pid

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._processes[name].log

    def kill(self, name: str) -> None:
        """End one process at once, as `kill -9` does; it stays down until `start`."""
        with self._lock:
            self._processes[name].kill()

    def stop_one(self, name: str) -> None:
        """Stop one process in good order; it stays down until `start`."""
        with self._lock:
            self._processes[name].request_stop()
            self._processes[name].finish()

    def start(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start one process that is down and wait until it is ready; `environment` is added to its own for good."""
        with self._lock:
            process = self._processes[name]
            process.environment.update(environment or {})
            process.start()
        self.wait_ready(name)

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Stop one process in good order and start it again."""
        self.stop_one(name)
        self.start(name, environment)

    def restart_together(self, names: Sequence[str]) -> None:
        """Stop these processes in good order and start them again; raises `StartError`, and then none of them runs."""
        processes = [self._processes[name] for name in names]
        with self._lock:
            self._stop(processes)
            for process in processes:
                process.start()
        try:
            for process in processes:
                self.wait_ready(process.name)
        except StartError:
            with self._lock:
                self._stop(processes)
            raise

    def wait_ready(self, name: str, seconds: float = _READY_SECONDS) -> None:
        """Wait until one process is ready; raises `StartError` with the end of its log."""
        self._processes[name].wait_ready(time.monotonic() + seconds, self._stopping.is_set)

    def _stop(self, processes: Sequence[Process]) -> None:
        for process in processes:
            process.request_stop()
        for process in processes:
            if not process.finish():
                self._say(f"{process.name} did not end in {process.program.stop_seconds:.0f} s and was killed")

    def _watch(self) -> None:
        pauses = {name: _Pause() for name in self._processes}
        while not self._stopping.wait(0.1):
            for name, process in self._processes.items():
                with self._lock:
                    died = process.wanted and process.pid is None
                    if died and pauses[name].over():
                        self._say(
                            f"{name} ended with status {process.exit_status}: starting it again; log {process.log}"
                        )
                        process.start()


class _Pause:
    """How long to wait before a process that keeps dying is started again."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._last = 0.0

    def over(self) -> bool:
        """Whether it may be started now; each time lengthens the next pause."""
        now = time.monotonic()
        since = now - self._last
        if since < self._seconds:
            return False
        steady = since > _STEADY_SECONDS
        self._seconds = _FIRST_PAUSE if steady else min(max(self._seconds * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._last = now
        return True
