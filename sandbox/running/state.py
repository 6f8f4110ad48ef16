"""The sandbox's state directory: data that is kept between runs, the logs, and the lock of the running sandbox."""

import json
import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Self


class StateInUseError(Exception):
    """Another sandbox runs on the same state directory."""


def _key() -> str:
    """Letters and digits only: as an argument, a key with a leading dash would look like an option."""
    return secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys that are generated once for each state directory."""

    webhook: str = field(default_factory=_key)
    plugin: str = field(default_factory=_key)
    operations: str = field(default_factory=_key)
    erp: str = field(default_factory=_key)
    erp_events: str = field(default_factory=_key)
    business_central: str = field(default_factory=_key)
    credit: str = field(default_factory=_key)
    virtual_tables: str = field(default_factory=_key)
    relay_send: str = field(default_factory=_key)
    relay_listen: str = field(default_factory=_key)

    @classmethod
    def kept_in(cls, path: Path) -> Self:
        """The keys in this file; they are generated and written if there are none."""
        if path.exists():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        keys = cls()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(keys), file, indent=2)
        return keys


class StateDirectory:
    """The layout below one directory: `data` is what `forget` removes, `logs` has a file for each process."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.data = self.root / "data"
        self.logs = self.root / "logs"
        self.endpoints = self.root / "endpoints.json"
        self.requests = self.root / "requests.http"
        self._lock: IO[str] | None = None

    def open(self) -> None:
        """Make the directories and take the lock; raises `StateInUseError` when another sandbox holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = (self.root / "lock").open("a+", encoding="utf-8")
        try:
            _lock(lock)
        except OSError as error:
            lock.close()
            raise StateInUseError(f"A sandbox already runs on {self.root}. Stop it first.") from error
        self._lock = lock
        self.withdraw_endpoints()
        self.data.mkdir(exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    def in_use(self) -> bool:
        """Whether a sandbox runs on this directory."""
        try:
            lock = (self.root / "lock").open("r+", encoding="utf-8")
        except FileNotFoundError:
            return False
        with lock:
            try:
                _lock(lock)
            except OSError:
                return True
        return False

    def withdraw_endpoints(self) -> None:
        """Remove endpoints.json and requests.http if this sandbox has written them."""
        if self._lock is not None:
            self.endpoints.unlink(missing_ok=True)
            self.requests.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def remove(self) -> None:
        """Remove data and logs; only while the lock is held."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.logs, ignore_errors=True)

    def forget(self) -> None:
        """Start with empty data and logs; only while the lock is held."""
        self.remove()
        self.data.mkdir()
        self.logs.mkdir()

    def keys(self) -> Keys:
        """The keys of this state directory."""
        return Keys.kept_in(self.data / "keys.json")


def new_state(home: Path, kind: str) -> Path:
    """A new state directory for one run of a command; those of earlier runs are removed.

    A failed run leaves its state until the next run, so that its logs can be read.
    """
    home.mkdir(exist_ok=True)
    forget_abandoned(home, kind)
    return Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=home))


def forget_abandoned(home: Path, kind: str) -> None:
    """Remove the state directories of runs that have ended, not that of one that still runs."""
    for directory in home.glob(f"{kind}-*"):
        state = StateDirectory(directory)
        try:
            state.open()
        except StateInUseError:
            continue
        state.close()
        shutil.rmtree(directory)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
