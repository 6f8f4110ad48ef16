"""A process that has imported pytest and all libraries already, and forks for each run of the tests.

Importing them takes longer than most runs. The app itself is imported in each fork, as it is what changes. Not on
Windows, which cannot fork.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

POSSIBLE = hasattr(os, "fork")

_LIBRARIES = (
    "pytest",
    "_pytest.assertion.rewrite",
    "pytest_asyncio.plugin",
    "hypothesis",
    "hypothesis.strategies",
    "aiohttp",
    "azure.core.exceptions",
    "azure.data.tables.aio",
    "azure.eventhub",
    "azure.functions",
    "azure.identity",
    "azure.servicebus",
    "azure.storage.blob",
    "cryptography.x509",
    "msal",
    "pydantic",
    "requests",
    "sandbox.azure.azurite",
    "sandbox.machine.supervisor",
    "sandbox.mutation.pytest_fast",
    "sandbox.running.endpoints",
)
_LEAVE_SECONDS = 10.0
_LOOK_SECONDS = 0.01


class Forks:
    """`with Forks(root) as forks: forks.pytest([...])` runs pytest at `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._output = root / "output.txt"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.mutation.forks"],
            cwd=self._root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate()

    def pytest(self, arguments: Sequence[str], *, seconds: float, **environment: str) -> tuple[int | None, str]:
        """Run pytest: its exit status, None when it took longer than `seconds`; and its output."""
        asked = {
            "arguments": arguments,
            "environment": environment,
            "seconds": seconds,
            "output": str(self._output),
        }
        assert self._process.stdin is not None  # noqa: S101 -- it was opened above
        assert self._process.stdout is not None  # noqa: S101 -- it was opened above
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the process that forks has ended")
        status: int | None = json.loads(answer)["status"]
        return status, self._output.read_text(encoding="utf-8", errors="replace")


def _serve() -> None:
    for library in _LIBRARIES:
        importlib.import_module(library)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked)
        sys.stdout.write(json.dumps({"status": _status_of(child, asked["seconds"])}) + "\n")
        sys.stdout.flush()


def _run(asked: dict[str, Any]) -> None:
    """In the fork, which ends here."""
    status = 1
    try:
        os.environ.update(asked["environment"])
        output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        import pytest  # noqa: PLC0415 -- imported before the fork

        status = int(pytest.main(asked["arguments"]))
        sys.stdout.flush()
    finally:
        os._exit(status)


def _status_of(child: int, seconds: float) -> int | None:
    status = None
    try:
        status = _waited(child, seconds)
    finally:  # also where somebody interrupts the whole run
        if status is None:
            os.kill(child, signal.SIGINT)  # as a person does, so that it stops what it has started
            if _waited(child, _LEAVE_SECONDS) is None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    return status


def _waited(child: int, seconds: float) -> int | None:
    """The exit status of a process; None when it runs for longer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return abs(os.waitstatus_to_exitcode(status))
        time.sleep(_LOOK_SECONDS)
    return None


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        _serve()
