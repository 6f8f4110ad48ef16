"""run.py: when the virtual environment counts as complete, and how it fails."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sandbox.repository import REPOSITORY


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """run.py as a module."""
    spec = importlib.util.spec_from_file_location("run", REPOSITORY / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path, run: ModuleType) -> Path:
    """A repository whose environment has a Python and a complete installation."""
    for name in run.LOCKS:
        (tmp_path / name).write_text("requests==2.0\n", encoding="utf-8")
    environment = run.Environment(tmp_path)
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    environment.mark_complete()
    return tmp_path


def test_a_complete_environment_is_used_as_it_is(run: ModuleType, root: Path) -> None:
    assert run.Environment(root).is_complete()


@pytest.mark.parametrize("name", ["requirements-dev.txt", "requirements-host.txt"])
def test_a_changed_requirement_is_noticed(run: ModuleType, root: Path, name: str) -> None:
    (root / name).write_text("requests==2.1\n", encoding="utf-8")
    assert not run.Environment(root).is_complete()


def test_an_environment_of_another_python_is_noticed(run: ModuleType, root: Path) -> None:
    stamp = root / ".venv" / "installed.json"
    stamp.write_text(stamp.read_text().replace(run.platform.python_version(), "3.10.0"), encoding="utf-8")
    assert not run.Environment(root).is_complete()


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_an_interrupted_installation_is_noticed(run: ModuleType, root: Path, content: str | None) -> None:
    stamp = root / ".venv" / "installed.json"
    stamp.unlink()
    if content is not None:
        stamp.write_text(content, encoding="utf-8")
    assert run.Environment(root).installed() == {}
    assert not run.Environment(root).is_complete()


def test_a_python_that_is_gone_is_noticed(run: ModuleType, root: Path) -> None:
    environment = run.Environment(root)
    environment.python.unlink()
    assert not environment.is_complete()


def run_py(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 -- run.py


def test_help_lists_every_command(run: ModuleType) -> None:
    answer = run_py("--help")
    assert answer.returncode == 0
    for name, meaning in run.COMMANDS.items():
        assert name in answer.stdout
        assert meaning in answer.stdout


def test_every_command_has_its_module(run: ModuleType) -> None:
    for name in run.COMMANDS:
        assert importlib.util.find_spec(f"sandbox.commands.{name}") is not None


def test_an_unknown_command_is_refused() -> None:
    answer = run_py("fly")
    assert answer.returncode == 2
    assert "invalid choice: 'fly'" in answer.stderr
