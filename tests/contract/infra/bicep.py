"""Where the Bicep compiler, a checker of Bicep and the golden expansions are."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.repository import REPOSITORY

INFRA = REPOSITORY / "infra"
GOLDEN = INFRA / "golden"
ENVIRONMENTS = ("dev", "test", "staging", "prod")

CHECKER = Path(os.environ.get("BICEP_CHECK", REPOSITORY.parent / "shared" / "tools" / "bicep_check"))
"""A checker for machines without the compiler; set BICEP_CHECK where it lies elsewhere."""
COMPILER = shutil.which("bicep")


def example() -> dict[str, str]:
    """What infra/example.env gives."""
    lines = (INFRA / "example.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def example_environment() -> dict[str, str]:
    """This process's environment with what the parameter files read from infra/example.env."""
    return {**os.environ, **example()}


def expand(parameters: Path) -> dict[str, Any]:
    """All resources and outputs that a parameter file comes to; `<<...>>` is what only Azure knows.

    Names that end with a hash differ from Azure's, whose hash is not public; they are stable here.
    """
    done = run([sys.executable, str(CHECKER / "beval.py"), str(parameters)])
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    expansion: dict[str, Any] = json.loads(done.stdout)
    return expansion


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command with the example environment, its output kept."""
    return subprocess.run(  # noqa: S603 -- commands of the tests
        command, cwd=REPOSITORY, env=example_environment(), capture_output=True, text=True, check=False
    )


class Expansion:
    """An expansion, by type and by name."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self.resources: list[dict[str, Any]] = content["resources"]

    @classmethod
    def golden(cls, environment: str) -> "Expansion":
        return cls(json.loads((GOLDEN / f"{environment}.json").read_text(encoding="utf-8")))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The resources of one type."""
        return [resource for resource in self.resources if resource["type"].lower() == kind.lower()]

    def one(self, kind: str) -> dict[str, Any]:
        """The only resource of one type."""
        (only,) = self.of(kind)
        return only

    def named(self, kind: str, beginning: str) -> dict[str, Any]:
        """The only resource of one type whose name begins so."""
        (only,) = [it for it in self.of(kind) if it["name"].startswith(beginning)]
        return only

    @property
    def settings(self) -> dict[str, str]:
        """The app settings."""
        settings: dict[str, str] = self.one("Microsoft.Web/sites/config")["properties"]
        return settings


def golden_text(environment: str) -> str:
    """What infra/golden/<environment>.json must hold; needs the checker."""
    return json.dumps(expand(INFRA / f"main.{environment}.bicepparam"), indent=1, sort_keys=True) + "\n"
