"""Which tests execute which lines: found out once for each state of the code, then kept."""

import hashlib
import json
import platform
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.mutation.mutants import Mutant
from sandbox.mutation.tree import Tree

TESTS = ("tests/unit/integration", "tests/contract/integration", "tests/flows")
"""Folders with tests of the app; one that does not exist is left out."""
_CODE = ("integration", "sandbox", "tests")
_KEPT = 3


class FailingTestsError(Exception):
    """The tests fail on code that nobody has changed; the message has pytest's last lines."""


@dataclass(frozen=True, slots=True)
class Record:
    """Tests, how many seconds each took, and by file and line the numbers of those that execute it."""

    tests: list[str]
    seconds: list[float]
    lines: dict[str, dict[int, list[int]]]

    @classmethod
    def read(cls, file: Path) -> Self:
        """From a file that the plugin has written."""
        document = json.loads(file.read_text(encoding="utf-8"))
        lines = {path: {int(line): it for line, it in found.items()} for path, found in document["lines"].items()}
        return cls(document["tests"], document["seconds"], lines)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that can notice it: those of its own package first, among them quick ones first.

        What is executed at import is used by whatever uses the file.
        """
        lines = self.lines.get(mutant.path, {})
        first, last = mutant.change.lines
        own = range(first, last + 1)
        found = {test for line in own for test in lines.get(line, ())}
        if mutant.change.at_import or (not found and any(line in lines for line in own)):
            found = {test for tests in lines.values() for test in tests}
        return [self.tests[it] for it in sorted(found, key=lambda it: (self._is_near(it, mutant), self.seconds[it]))]

    def seconds_of(self, tests: Iterable[str]) -> float:
        """How long these tests take together."""
        wanted = set(tests)
        return sum(seconds for test, seconds in zip(self.tests, self.seconds, strict=True) if test in wanted)

    def _is_near(self, test: int, mutant: Mutant) -> bool:
        """False sorts first."""
        return f"/{mutant.package}/" not in self.tests[test]


def record(tree: Tree, cache: Path, say: Callable[[str], None]) -> Record:
    """The record of this code from `cache`; without one, the tests are run to make it. Raises `FailingTestsError`."""
    file = cache / f"{_digest(tree.root)}.json"
    if not file.exists():
        say("Which tests execute which lines (once for this state of the code) ...")
        folders = [folder for folder in TESTS if (tree.root / folder).exists()]
        done = tree.pytest("-p", "sandbox.mutation.pytest_record", *folders, MUTATION_RECORD=str(tree.root / "record"))
        if done.returncode and (failed := failures(done.stdout)):
            done = tree.pytest(*failed)  # a test that waits for something may fail on a busy machine
        if done.returncode:
            raise FailingTestsError("\n".join(done.stdout.splitlines()[-_LAST_LINES:]))
        cache.mkdir(parents=True, exist_ok=True)
        for old in sorted(cache.glob("*.json"), key=lambda it: it.stat().st_mtime)[: -_KEPT + 1]:
            old.unlink()
        (tree.root / "record").replace(file)
    return Record.read(file)


def failures(output: str) -> list[str]:
    """The tests that failed, or could not be set up, as pytest names them in its summary."""
    return re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)


def _digest(root: Path) -> str:
    digest = hashlib.sha256(platform.python_version().encode())
    for folder in _CODE:
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(f"{file.relative_to(root)} ".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


_LAST_LINES = 30
