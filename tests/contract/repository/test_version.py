"""The version and the oldest Python, each written once or held in step."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from typing import Any

import integration
from sandbox.commands import lock
from sandbox.repository import REPOSITORY

PYPROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
SEMANTIC = re.compile(r"\d+\.\d+\.\d+(?:-[0-9a-z.]+)?")


def test_the_version_is_written_in_the_package_alone() -> None:
    """The package is all that is deployed; pyproject.toml reads it there, and no other file has one of its own."""
    assert SEMANTIC.fullmatch(integration.__version__)
    assert "version" not in PYPROJECT["project"]
    assert "version" in PYPROJECT["project"]["dynamic"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "integration.__version__"}


def test_the_version_can_be_read_before_anything_is_installed() -> None:
    """run.py runs with the standard library alone: `-S -I` leaves out what is installed."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import integration; print(integration.__version__)"
    answer = subprocess.run(  # noqa: S603 -- our own Python
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == integration.__version__


def test_the_changelog_leads_up_to_the_version() -> None:
    """What is not released stands first; a released version stands below it under its number and date."""
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## \[([^\]]+)\]", text, re.MULTILINE)
    assert first == "Unreleased"
    assert not released or released[0] == integration.__version__


def test_the_oldest_python_is_the_same_everywhere() -> None:
    """For the package, run.py, the locks, the linter and the type checker."""
    spec = importlib.util.spec_from_file_location("run", REPOSITORY / "run.py")
    assert spec is not None
    assert spec.loader is not None
    run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(run)
    oldest = ".".join(map(str, run.OLDEST_PYTHON))
    assert PYPROJECT["project"]["requires-python"] == f">={oldest}"
    assert oldest == lock.OLDEST_PYTHON
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
