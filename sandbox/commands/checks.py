"""The static checks and pytest: run from the top of the repository, with their progress."""

import os
import subprocess
import sys
import time
from pathlib import Path

from sandbox.repository import REPOSITORY
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import STYLES, Screen
from sandbox.terminal.words import duration

# The scripts of the environment are in the folder of its Python.
_LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

CHECKS: dict[str, tuple[str, ...]] = {
    "ruff check": (sys.executable, "-m", "ruff", "check", "."),
    "ruff format": (sys.executable, "-m", "ruff", "format", "--check", "."),
    "mypy": (sys.executable, "-m", "mypy"),
    "lint-imports": (str(_LINT_IMPORTS),),
}


def failed_checks() -> list[str]:
    """Run all checks, show the output of those that fail, and return their names."""
    screen = Screen()
    failed = []
    for number, (name, command) in enumerate(CHECKS.items()):
        began = time.monotonic()
        with Progress("Checks", len(CHECKS), estimated=False) as progress:
            progress.show(number, name)
            answer = subprocess.run(  # noqa: S603 -- our own checks
                command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
        mark = "FAILED" if answer.returncode else "ok"
        took = duration(time.monotonic() - began)
        screen.beside([(f"{mark:<8}", STYLES[mark])], f"{name} ({took})")
        if answer.returncode:
            failed.append(name)
            for line in answer.stdout.splitlines():
                screen.raw(line)
    return failed


def run_pytest(arguments: list[str], *, title: str) -> int:
    """Run pytest with one line of progress instead of dots; its exit status."""
    command = (sys.executable, "-m", "pytest", "-p", "sandbox.terminal.pytest_progress", *arguments)
    return call(command, PYTEST_PROGRESS_TITLE=title)


def call(command: tuple[str, ...], **environment: str) -> int:
    """Run a command from the top of the repository, with these variables too; its exit status."""
    environ = {**os.environ, **environment}
    return subprocess.run(command, cwd=REPOSITORY, env=environ, check=False).returncode  # noqa: S603 -- our own commands
