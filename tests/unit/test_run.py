"""run.py: when the virtual environment counts as complete, and how it fails."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from integration import __version__
from sandbox.commands import catalogue
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


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_without_a_command_it_lists_them_all(arguments: tuple[str, ...]) -> None:
    answer = run_py(*arguments)
    assert answer.returncode == 0
    words = " ".join(answer.stdout.split())
    for command in catalogue.COMMANDS:
        assert f"{command.name} {command.summary}" in words


@pytest.mark.parametrize(("typed", "meant"), [("staus", "status"), ("deadletters", "dead-letters"), ("tst", "test")])
def test_a_mistyped_command_is_refused_and_the_right_one_suggested(typed: str, meant: str) -> None:
    answer = run_py(typed)
    assert answer.returncode == 2
    assert f"There is no command {typed}." in answer.stderr
    assert meant in answer.stderr.partition("Did you mean")[2]


def test_the_version_is_that_of_the_package() -> None:
    assert run_py("--version").stdout == f"dataverse-integration {__version__}\n"


def test_without_an_installation_doctor_looks_at_the_machine_and_installs_nothing(tmp_path: Path) -> None:
    """It may find out why the installation fails."""
    shutil.copy(REPOSITORY / "run.py", tmp_path)
    for name in ("sandbox", "integration", "requirements-dev.txt", "requirements-host.txt"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    answer = subprocess.run(
        [sys.executable, "run.py", "doctor"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Python: " in answer.stdout, answer.stderr
    assert not (tmp_path / ".venv").exists()
