"""Which files make an app, and when a change of them is reported."""

import os
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY
from sandbox.running.reload import AppFiles, Changes, State


class Files:
    """An app in a folder of its own, seen at a time that the test sets."""

    def __init__(self, app: Path) -> None:
        self.app = app
        self.now = 100.0
        (app / "package").mkdir()
        (app / "tests").mkdir()
        (app / ".venv").mkdir()
        (app / ".funcignore").write_text("# comment\n.*\n/tests\n/run.py\n*.md\n")
        for name in (
            "function_app.py",
            "package/part.py",
            "tests/test_it.py",
            ".venv/library.py",
            "run.py",
            "notes.md",
        ):
            (app / name).write_text("1")
        (app / "host.json").write_text("{}")

    def touch(self, name: str) -> None:
        """Write a file, with a time that differs from any before."""
        (self.app / name).write_text("2")
        os.utime(self.app / name, ns=(0, int(self.now * 1e9)))

    def changes(self, settings: Path | None = None) -> Changes:
        return Changes(AppFiles(self.app, settings).state, clock=lambda: self.now)

    def reported(self, changes: Changes) -> list[str]:
        """What is reported when no file has changed for a second."""
        assert changes.poll() == []
        self.now += 1
        return [file.relative_to(self.app).as_posix() for file in changes.poll()]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_an_app_is_its_python_files_that_are_deployed_and_host_json(files: Files) -> None:
    """Neither hidden folders nor what .funcignore names at the top."""
    names = {file.relative_to(files.app).as_posix() for file in AppFiles(files.app).state()}
    assert names == {"function_app.py", "package/part.py", "host.json"}


def test_the_projects_own_app_is_what_is_deployed() -> None:
    state: State = AppFiles(REPOSITORY).state()
    assert {file.relative_to(REPOSITORY).parts[0] for file in state} == {"function_app.py", "host.json", "integration"}


@pytest.mark.parametrize("name", ["function_app.py", "package/part.py", "package/new.py", "host.json"])
def test_a_change_is_reported_once(files: Files, name: str) -> None:
    changes = files.changes()
    files.touch(name)
    assert files.reported(changes) == [name]
    assert files.reported(changes) == []


@pytest.mark.parametrize("name", ["tests/test_it.py", "notes.md", ".venv/library.py", "run.py"])
def test_what_is_no_part_of_the_app_does_not_matter(files: Files, name: str) -> None:
    changes = files.changes()
    files.touch(name)
    assert files.reported(changes) == []


def test_a_file_that_goes_is_a_change(files: Files) -> None:
    changes = files.changes()
    (files.app / "package/part.py").unlink()
    assert files.reported(changes) == ["package/part.py"]


def test_a_settings_file_counts_also_before_it_is_there(files: Files) -> None:
    changes = files.changes(files.app / "local.settings.json")
    files.touch("local.settings.json")
    assert files.reported(changes) == ["local.settings.json"]


def test_changes_in_quick_succession_are_reported_together(files: Files) -> None:
    """Nothing is reported until half a second has passed without one."""
    changes = files.changes()
    for name in ("function_app.py", "package/part.py", "function_app.py"):
        files.touch(name)
        assert changes.poll() == []
        files.now += 0.3
    assert files.reported(changes) == ["function_app.py", "package/part.py"]
