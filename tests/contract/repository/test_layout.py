"""`tests/unit` and `tests/contract` have the folders of the code, and each package with code has a folder of tests."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from sandbox.repository import REPOSITORY

KINDS = ("unit", "contract")
CODE = ("integration", "sandbox", "documentation", "infra")
OF_NO_PACKAGE = {"repository": "the files at the top of the repository, and what holds between packages"}
"""Folders of tests that belong to no package, and what they are about."""
TESTED_ELSEWHERE = {
    "integration/analytics/sinks": "tests/unit/integration/analytics: a sink is tested with its trigger",
    "integration/flows": "tests/flows: one file for each flow, written by `run.py new`",
    "sandbox": "tests/contract/repository: the paths in repository.py, which the tests there use",
    "sandbox/azure/broker/entities": "tests/contract/sandbox/azure/broker: tested as an SDK sees it",
    "sandbox/azure/broker/http": "tests/contract/sandbox/azure/broker: tested as an SDK sees it",
    "sandbox/azure/broker/links": "tests/contract/sandbox/azure/broker: tested as an SDK sees it",
    "sandbox/azure/broker/rules": "tests/contract/sandbox/azure/broker: tested as an SDK sees it",
    "sandbox/azure/host/amqp": "tests/contract/sandbox/azure/host: tested as an app sees it",
    "sandbox/azure/host/encoding": "tests/contract/sandbox/azure/host: tested as an app sees it",
    "sandbox/azure/host/http": "tests/contract/sandbox/azure/host: tested as an app sees it",
    "sandbox/azure/host/triggers": "tests/contract/sandbox/azure/host: tested as an app sees it",
    "sandbox/bench/comparators": "tests/unit/sandbox/bench: they need libraries that are not installed here",
    "sandbox/bench/empty_app": "tests/unit/sandbox/bench: an app without functions, which is only measured",
    "sandbox/client": "tests/end_to_end: every test there uses it",
    "sandbox/demo": "tests/end_to_end: the demo runs as a whole",
}
"""Packages that have no folder of their own, the folder with their tests, and why."""


def folders_with(pattern: str, root: Path) -> set[PurePosixPath]:
    """The folders below `root` that hold a file of this name, relative to `root`."""
    return {PurePosixPath(path.relative_to(root).parent.as_posix()) for path in root.rglob(pattern)}


def packages() -> Iterator[PurePosixPath]:
    """The folders with code, relative to the repository; an `__init__.py` alone is none."""
    for top in CODE:
        for folder in folders_with("*.py", REPOSITORY / top):
            if any(path.name != "__init__.py" for path in (REPOSITORY / top / folder).glob("*.py")):
                yield PurePosixPath(top) / folder


def folders_of_tests(kind: str) -> set[PurePosixPath]:
    """The folders with tests below `tests/<kind>`, relative to it."""
    return folders_with("test_*.py", REPOSITORY / "tests" / kind) - {PurePosixPath()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_folder_of_tests_has_the_name_of_a_package(kind: str) -> None:
    known = {*packages(), *map(PurePosixPath, OF_NO_PACKAGE)}
    assert sorted(map(str, folders_of_tests(kind) - known)) == []


def test_every_package_has_a_folder_of_tests() -> None:
    """A package that is tested elsewhere is named above, and loses its place there when it has a folder of its own."""
    without = set(packages()) - folders_of_tests("unit") - folders_of_tests("contract")
    assert {str(package) for package in without} == set(TESTED_ELSEWHERE)


@pytest.mark.parametrize("place", sorted({words.partition(":")[0] for words in TESTED_ELSEWHERE.values()}))
def test_the_tests_that_stand_elsewhere_are_there(place: str) -> None:
    assert list((REPOSITORY / place).glob("test_*.py")) != []


def test_a_test_above_all_packages_is_of_a_file_at_the_top() -> None:
    """`tests/unit/test_run.py` is about run.py."""
    names = {path.stem.removeprefix("test_") for kind in KINDS for path in (REPOSITORY / "tests" / kind).glob("test_*")}
    assert {name for name in names if not (REPOSITORY / f"{name}.py").exists()} == set()
