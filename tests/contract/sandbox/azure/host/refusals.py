"""Starting hosts that are to refuse, quickly: forked from a process that has imported the host already."""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.azure.host.__main__ import main

_SECONDS = 30.0
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@dataclass(frozen=True)
class Refusal:
    """How a host ended and what it wrote."""

    status: int | None
    text: str


class Refusals:
    """Starts hosts; `home` is where their output goes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._processes = multiprocessing.get_context(_METHOD)
        if _METHOD == "forkserver":
            self._processes.set_forkserver_preload(["sandbox.azure.host.host", "azure.functions"])

    def start(self, app: Path, arguments: Sequence[str], settings: Mapping[str, str]) -> Refusal:
        """Run a host to its end."""
        log = self._home / f"{app.name}.log"
        command = ["host", "--app", str(app), "--port", "0", *arguments]
        process = self._processes.Process(target=_run, args=(command, dict(settings), log))  # type: ignore[attr-defined] # of every context
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
        return Refusal(process.exitcode, log.read_text() if log.exists() else "")


def _run(command: list[str], settings: dict[str, str], log: Path) -> None:
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    for name in [name for name in os.environ if name.startswith("AzureWebJobs")]:
        del os.environ[name]
    os.environ.update(settings)
    sys.argv = command
    sys.exit(main())
