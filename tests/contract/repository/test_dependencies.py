"""What is imported is pinned, what is pinned is used, and the locks are in step with what is written by hand.

Nothing here asks a package index: the installed libraries' own metadata say what a lock must name.
"""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sandbox.repository import REPOSITORY

DEVELOPED = ("sandbox", "documentation", "tests", "infra")
DEPLOYED = [REPOSITORY / "function_app.py", *(REPOSITORY / "integration").rglob("*.py")]
ELSEWHERE = (
    REPOSITORY / "sandbox" / "bench" / "comparators",  # in an environment of their own (sandbox/bench/requirements.txt)
    REPOSITORY
    / "tests"
    / "contract"
    / "sandbox"
    / "azure"
    / "broker"
    / "proton",  # with the Python that has Qpid Proton
)
"""Programs that run in other environments than the one that is developed in."""
EXTRAS = {
    REPOSITORY / "integration" / "cli" / "support" / "mcp_tools.py": "requirements-mcp.in",
    REPOSITORY / "integration" / "exports" / "delta.py": "requirements-exports.in",
    REPOSITORY / "integration" / "exports" / "parquet.py": "requirements-exports.in",
    REPOSITORY / "integration" / "analytics" / "arrow.py": "requirements-lake.in",
    REPOSITORY / "integration" / "analytics" / "sinks" / "lake.py": "requirements-lake.in",
    **{
        REPOSITORY / "integration" / "analytics" / name: "requirements-delta.in"
        for name in ("delta_table.py", "delta_upkeep.py", "sinks/delta.py")
    },
}
"""Parts with an extra of their own: of the command line, and of an app that has it in its package."""
DEVELOPMENT = [
    path
    for folder in DEVELOPED
    for path in (REPOSITORY / folder).rglob("*.py")
    if not any(path.is_relative_to(other) for other in ELSEWHERE)
]
OURS = {
    "integration",
    "sandbox",
    "documentation",
    "run",
    "tests",
    "function_app",
    *(path.stem for path in (REPOSITORY / "tests").rglob("*.py")),
}
LOCKS = {
    "requirements.txt": ["requirements.in"],
    "requirements-lake.txt": ["requirements.in", "requirements-lake.in"],
    "requirements-delta.txt": ["requirements.in", "requirements-lake.in", "requirements-delta.in"],
    "requirements-dev.txt": [
        "requirements.in",
        "requirements-lake.in",
        "requirements-mcp.in",
        "requirements-exports.in",
        "requirements-dev.in",
    ],
    "requirements-host.txt": ["requirements-host.in"],
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MODULES = (".py", ".so", ".pyd")
"""How the files end that a module can be."""
PLATFORMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


@dataclass(frozen=True)
class Pin:
    """A line of a requirements file."""

    requirement: Requirement
    hashes: int

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        (exact,) = self.requirement.specifier
        assert exact.operator == "=="
        return exact.version

    def holds(self, environment: dict[str, str]) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate(environment)


def pins(*files: str) -> Iterator[Pin]:
    """The pins of these files, in their order."""
    for file in files:
        text = (REPOSITORY / file).read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith(("#", "-r ")):
                requirement, *hashes = re.split(r"\s+--hash=sha256:(?=[0-9a-f]{64})", line)
                yield Pin(Requirement(requirement), len(hashes))


def chosen(environment: dict[str, str], *files: str) -> dict[str, str]:
    """Names and versions that these files give to an environment; none is named twice."""
    holding = [(pin.name, pin.version) for pin in pins(*files) if pin.holds(environment)]
    assert len(holding) == len(dict(holding))
    return dict(holding)


def environment_of(python: str, platform: str) -> dict[str, str]:
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": platform,
        "platform_system": PLATFORMS[platform],
        "os_name": "nt" if platform == "win32" else "posix",
    }


def imported(paths: list[Path]) -> set[str]:
    """Names of the distributions that the modules come from which these files import."""
    modules = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module)
    return {distribution_of(it) for it in modules if it.partition(".")[0] not in sys.stdlib_module_names | OURS}


def distribution_of(module: str) -> str:
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"{module} is not installed"
    assert spec.origin is not None, f"{module} is a namespace: import what is in it"
    return files_of_distributions()[Path(spec.origin)]


@cache
def files_of_distributions() -> dict[Path, str]:
    """Read from the lists themselves: `metadata.files` makes an object of each of 40,000 lines, which takes seconds."""
    found: dict[Path, str] = {}
    for distribution in metadata.distributions():
        root = Path(str(distribution.locate_file("")))
        lines = (distribution.read_text("RECORD") or "").splitlines()
        paths = (line.rsplit(",", 2)[0].strip('"') for line in lines)
        name = canonicalize_name(distribution.name)
        found |= {root / path: name for path in paths if path.endswith(MODULES)}
    return found


def closure(roots: list[Requirement]) -> dict[str, str]:
    """What is installed because of these requirements, with versions, as the libraries' own metadata say."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, extra) for root in roots for extra in ("", *root.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        distribution = metadata.distribution(name)
        found[name] = distribution.version
        for text in distribution.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, it) for it in ("", *needed.extras)]
    return found


BENEATH_OTHERS = {"requests"}
"""Pinned by hand though nothing here imports it: msal is built on it, and its version is one that people decide on."""


def test_what_is_deployed_is_used_and_what_is_used_is_pinned() -> None:
    """An unpinned import would come with another library, in whatever version; an unused one is only attack surface."""
    of_the_app = {pin.name for pin in pins("requirements.in")}
    assert imported([path for path in DEPLOYED if path not in EXTRAS]) | BENEATH_OTHERS == of_the_app
    for path, file in EXTRAS.items():
        assert imported([path]) <= of_the_app | {pin.name for pin in pins(file)}


def test_what_the_sandbox_and_the_tests_import_is_pinned() -> None:
    """Tools that are only run (ruff, mypy, ...) are pinned too; nothing imports them."""
    by_hand = {pin.name for pin in pins(*LOCKS["requirements-dev.txt"], "requirements-host.in")}
    assert imported(DEVELOPMENT) <= by_hand


def test_the_command_line_has_the_versions_that_are_deployed() -> None:
    """It is made of a few modules of the app, and needs fewer libraries."""
    deployed = {(pin.name, pin.version) for pin in pins("requirements.in")}
    assert {(pin.name, pin.version) for pin in pins("requirements-cli.in")} < deployed


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_is_written_by_hand(lock: str, python: str, platform: str) -> None:
    """In the same version, for each Python and platform; who changes a .in file runs `run.py lock`."""
    environment = environment_of(python, platform)
    assert chosen(environment, *LOCKS[lock]).items() <= chosen(environment, lock).items()


@pytest.mark.parametrize("lock", [it for it in LOCKS if it != "requirements-host.txt"])
def test_a_lock_has_what_that_needs_and_nothing_else(lock: str) -> None:
    """For the Python that runs this: what the installed libraries ask for, in the versions that are installed.

    The runtime of the host is installed besides (requirements-host.in), and its requirements are in the lock.
    """
    environment = {name: str(value) for name, value in default_environment().items()}
    by_hand = [pin.requirement for pin in pins(*LOCKS[lock]) if pin.holds(environment)]
    assert chosen(environment, lock) == closure(by_hand)
    host = [pin.requirement for pin in pins("requirements-host.txt")]
    assert closure(host).items() <= chosen(environment, "requirements-dev.txt", "requirements-host.txt").items()


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_deployed_is_what_is_tested(python: str) -> None:
    """Development has each library of requirements.txt in the same version."""
    environment = environment_of(python, "linux")
    assert chosen(environment, "requirements.txt").items() <= chosen(environment, "requirements-dev.txt").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_hashes_and_no_place(lock: str) -> None:
    """Whatever index a library comes from, its bytes are those that were locked."""
    assert all(pin.hashes for pin in pins(lock))
    text = (REPOSITORY / lock).read_text(encoding="utf-8")
    assert not re.search(r"://|index-url|find-links|trusted-host", text)
