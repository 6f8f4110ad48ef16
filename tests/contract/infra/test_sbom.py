"""The list of what the package consists of names every library that the remote build installs, and nothing else."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

from integration import __version__
from sandbox.repository import REPOSITORY


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    specification = importlib.util.spec_from_file_location("sbom", REPOSITORY / "infra" / "sbom.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["sbom"] = module
    specification.loader.exec_module(module)
    return module


def written(file: Path) -> dict[str, Any]:
    """What the command writes."""
    command = [sys.executable, str(REPOSITORY / "infra" / "sbom.py"), str(file)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- our own script
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def test_it_names_what_requirements_pins(tmp_path: Path) -> None:
    """Name, version, purl and the hashes of each; the app with its version; twice the same bytes."""
    document = written(tmp_path / "a.json")
    assert written(tmp_path / "b.json") == document
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["version"] == __version__
    lock = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    pins = [line.rstrip(" \\") for line in lock.splitlines() if line[:1].isalnum()]
    wanted = {f"pkg:pypi/{it.name}@{next(iter(it.specifier)).version}" for it in map(Requirement, pins)}
    assert {it["purl"] for it in document["components"]} == wanted
    assert sum(len(it["hashes"]) for it in document["components"]) == lock.count("--hash=sha256:")
    assert all(it["hashes"] for it in document["components"])


def test_it_says_what_needs_what(tmp_path: Path) -> None:
    """The app needs what requirements.in names; every library that is needed is in the list."""
    document = written(tmp_path / "a.json")
    named = {it["ref"]: it["dependsOn"] for it in document["dependencies"]}
    asked = (REPOSITORY / "requirements.in").read_text(encoding="utf-8").splitlines()
    of_app = {Requirement(line).name for line in asked if line and not line.startswith("#")}
    assert {it.rpartition("@")[0].removeprefix("pkg:pypi/") for it in named["app"]} == of_app
    known = {it["bom-ref"] for it in document["components"]}
    assert set().union(*named.values()) == known
    assert known | {"app"} == named.keys()


def test_a_library_for_some_pythons_says_for_which(sbom: ModuleType) -> None:
    """And one that several others need is needed by each of them."""
    lock = (
        "a==1 ; python_version < '3.13' \\\n    --hash=sha256:" + "0" * 64 + "\n    # via\n    #   -r x.in\n    #   b\n"
    )
    lock += "b==2 \\\n    --hash=sha256:" + "1" * 64 + "\n    # via -r x.in\n"
    a, b = sbom.libraries(lock)
    assert (a.name, a.marker, a.via) == ("a", "python_version < '3.13'", ["x.in", "b"])
    document = sbom.bill("app", "1", [a, b])
    assert document["dependencies"] == [
        {"ref": "app", "dependsOn": ["pkg:pypi/a@1", "pkg:pypi/b@2"]},
        {"ref": "pkg:pypi/a@1", "dependsOn": []},
        {"ref": "pkg:pypi/b@2", "dependsOn": ["pkg:pypi/a@1"]},
    ]
    assert document["components"][0]["properties"] == [{"name": "python:marker", "value": "python_version < '3.13'"}]
