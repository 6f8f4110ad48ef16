"""Restarts the hosts when the app's files change."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sandbox.machine.process import StartError
from sandbox.machine.supervisor import Supervisor

_QUIET_SECONDS = 0.5

State = Mapping[Path, tuple[int, int]]
"""Modification time (ns) and size of each file."""


class AppFiles:
    """The files of an app: its Python files, host.json, and a settings file if it has one.

    Top-level entries that .funcignore names are not deployed, so they do not belong to it; nor do hidden folders.
    """

    def __init__(self, app: Path, settings: Path | None = None) -> None:
        self._app = app
        self._single = [app / "host.json", *([settings] if settings is not None else [])]

    def state(self) -> State:
        """The present state of the files; a missing file is left out."""
        found = {}
        for file in (*self._single, *self._python_files()):
            try:
                status = file.stat()
            except OSError:
                continue
            found[file] = (status.st_mtime_ns, status.st_size)
        return found

    def _python_files(self) -> Iterator[Path]:
        ignored = self._ignored()
        for folder, folders, files in os.walk(self._app):
            at_top = Path(folder) == self._app
            folders[:] = [
                name for name in folders if not name.startswith((".", "__")) and not (at_top and name in ignored)
            ]
            yield from (
                Path(folder, name) for name in files if name.endswith(".py") and not (at_top and name in ignored)
            )

    def _ignored(self) -> set[str]:
        try:
            lines = (self._app / ".funcignore").read_text(encoding="utf-8").splitlines()
        except OSError:
            return set()
        return {line.strip().strip("/") for line in lines if line.startswith("/")}


class Changes:
    """Reports changed files once no file has changed for half a second, because an editor may write several files."""

    def __init__(self, state: Callable[[], State], clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._given = self._last = state()
        self._changed_at = 0.0

    def poll(self) -> list[Path]:
        """The files that are new, deleted or different since the last call that returned any."""
        now = self._state()
        if now != self._last:
            self._last, self._changed_at = now, self._clock()
        if self._last == self._given or self._clock() - self._changed_at < _QUIET_SECONDS:
            return []
        before, self._given = self._given, self._last
        return sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))


class Reload:
    """Restarts `hosts` together on each change and reports it.

    If the app is broken, they stay down until the next change.
    """

    def __init__(
        self, processes: Supervisor, hosts: Sequence[str], changes: Changes, say: Callable[[str], None]
    ) -> None:
        self._processes = processes
        self._hosts = hosts
        self._changes = changes
        self._say = say

    def poll(self) -> None:
        """Restart the hosts if the app has changed; returns when they are ready, or have failed."""
        changed = self._changes.poll()
        if not changed:
            return
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        self._say(f"{changed[0].name}{more} changed: starting {' and '.join(self._hosts)} again ...")
        began = time.monotonic()
        try:
            self._processes.restart_together(self._hosts)
        except StartError as failure:
            self._say(f"{failure}\nThe app does not run. Correct it; the next change of a file starts it again.")
        else:
            self._say(f"The app runs again after {time.monotonic() - began:.1f} s.")
