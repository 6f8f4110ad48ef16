"""How long `import function_app` takes in a process that has imported nothing yet: what a cold start waits for."""

import os
import statistics
import subprocess
from pathlib import Path

from sandbox.bench.settings import app_settings, renamed
from sandbox.machine.ports import Ports
from sandbox.running.state import Keys

RUNS = 9
_PROGRAM = "import time; began = time.perf_counter(); import function_app; print(time.perf_counter() - began)"


def cold_import(app: Path, python: Path) -> list[float]:
    """Seconds of each of nine imports, after one that does not count: it writes the byte code and fills file caches.

    The settings are those of a sandbox that does not run: nothing connects at import time. Raises
    `subprocess.CalledProcessError` when the app cannot be imported.
    """
    settings = app_settings(Ports(), Keys())
    environment = {**os.environ, **settings, **renamed(settings)}
    return [_once(app, python, environment) for _ in range(RUNS + 1)][1:]


def median_ms(seconds: list[float]) -> float:
    """The median, in milliseconds."""
    return statistics.median(seconds) * 1000


def _once(app: Path, python: Path, environment: dict[str, str]) -> float:
    answer = subprocess.run(  # noqa: S603 -- the app that is measured
        [str(python), "-c", _PROGRAM], cwd=app, env=environment, capture_output=True, text=True, check=True
    )
    return float(answer.stdout.splitlines()[-1])
