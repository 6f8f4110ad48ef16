"""The static checks, each with its own exit status."""

import subprocess
import sys
from pathlib import Path

from sandbox.repository import REPOSITORY

# The environment's own scripts lie beside its Python.
_LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

CHECKS: tuple[tuple[str, ...], ...] = (
    (sys.executable, "-m", "ruff", "check", "."),
    (sys.executable, "-m", "ruff", "format", "--check", "."),
    (sys.executable, "-m", "mypy"),
    (str(_LINT_IMPORTS),),
)


def failed_checks() -> list[str]:
    """Run all checks, and name those that failed."""
    return [_name(command) for command in CHECKS if call(command)]


def run_pytest(arguments: list[str]) -> int:
    """Run pytest; its exit status."""
    return call((sys.executable, "-m", "pytest", *arguments))


def call(command: tuple[str, ...]) -> int:
    """Run a command from the repository's top and pass on what it prints."""
    print(f"$ {_name(command)}", flush=True)
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode  # noqa: S603 -- our own checks


def _name(command: tuple[str, ...]) -> str:
    words = command[2:] if command[1:2] == ("-m",) else (Path(command[0]).name, *command[1:])
    return " ".join(words)
