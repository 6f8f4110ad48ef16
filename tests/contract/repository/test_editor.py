"""What the editor, the development container and the pre-commit hook start is there, and is what run.py does."""

import importlib.util
import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.commands import catalogue, lint
from sandbox.repository import REPOSITORY


def read(name: str) -> Any:
    return json.loads((REPOSITORY / name).read_text(encoding="utf-8"))


LAUNCHES: list[dict[str, Any]] = read(".vscode/launch.json")["configurations"]
TASKS: list[dict[str, Any]] = read(".vscode/tasks.json")["tasks"]
DEVCONTAINER: dict[str, Any] = read(".devcontainer/devcontainer.json")
COMMANDS = {command.name for command in catalogue.COMMANDS}


@pytest.mark.parametrize("launch", LAUNCHES, ids=lambda launch: launch["name"])
def test_what_is_debugged_exists(launch: dict[str, Any]) -> None:
    """Its module can be run, its command is one of run.py, and what is to be started first is a task."""
    if module := launch.get("module"):
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert not spec.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__")
    if launch.get("module") == "sandbox.commands":
        assert launch["args"][0] in COMMANDS
    if task := launch.get("preLaunchTask"):
        assert task in {it["label"] for it in TASKS}


@pytest.mark.parametrize("task", [it for it in TASKS if it["type"] == "shell"], ids=lambda task: task["label"])
def test_tasks_are_commands_of_run_py(task: dict[str, Any]) -> None:
    """Named as the command, on Windows with the name that Python has there."""
    assert task["label"] in COMMANDS
    assert task["command"] == f"python3 run.py {task['label']}"
    assert task["windows"]["command"] == f"python run.py {task['label']}"


def test_the_hook_runs_what_lint_runs() -> None:
    """It is that command: no list of checks and no version of its own."""
    (repository,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    (hook,) = repository["hooks"]
    assert repository["repo"] == "local"
    assert hook["entry"] == "python3 run.py lint"
    assert lint.__name__.rpartition(".")[2] in COMMANDS
    assert (hook["always_run"], hook["pass_filenames"]) == (True, False)


def test_the_container_has_what_the_project_needs() -> None:
    """The Python that is deployed, Node for Azurite, and the extensions that are recommended."""
    (deployed,) = re.findall(
        r"param pythonVersion string = '([\d.]+)'", (REPOSITORY / "infra" / "main.bicep").read_text(encoding="utf-8")
    )
    assert DEVCONTAINER["image"].endswith(f":{deployed}")
    assert any("/node:" in feature for feature in DEVCONTAINER["features"])
    assert DEVCONTAINER["postCreateCommand"] == "python3 run.py lint"
    assert DEVCONTAINER["customizations"]["vscode"]["extensions"] == read(".vscode/extensions.json")["recommendations"]
