"""Trying mutants one after another, to see whether a test notices."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.mutation.forks import Forks
from sandbox.mutation.mutants import Mutant
from sandbox.mutation.record import Record, failures
from sandbox.mutation.tree import QUIET, Tree

NOTICED, NOT_NOTICED, NOT_EXECUTED = "noticed", "not noticed", "not executed"
_OK, _NO_TESTS = 0, 5
_START_SECONDS = 30.0
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant; `by` is the test that noticed it, `tests` is how many could have."""

    mutant: Mutant
    outcome: str
    tests: int
    by: str = ""

    def document(self) -> dict[str, Any]:
        """For a JSON file."""
        change = self.mutant.change
        return {
            "name": self.mutant.name,
            "path": self.mutant.path,
            "line": change.line,
            "kind": change.kind,
            "before": change.before,
            "after": change.after,
            "outcome": self.outcome,
            "tests": self.tests,
            "by": self.by,
        }


class Trial:
    """Tries mutants in one tree."""

    def __init__(self, tree: Tree, forks: Forks, record: Record) -> None:
        self._tree = tree
        self._forks = forks
        self._record = record

    def of(self, mutant: Mutant) -> Outcome:
        """Run the tests that execute the mutant until one fails.

        A mutant that makes them take too long is noticed, too. A test that fails has to fail twice: one that waits for
        something may fail once on a busy machine.
        """
        tests = self._record.tests_of(mutant)
        if not tests:
            return Outcome(mutant, NOT_EXECUTED, 0)
        with self._tree.changed_by(mutant):
            by = self._noticed_by(tests)
            if by in tests and not self._noticed_by([by]):
                by = self._noticed_by(tests)
        return Outcome(mutant, NOTICED if by else NOT_NOTICED, len(tests), by)

    def _noticed_by(self, tests: list[str]) -> str:
        """The first test that fails, or what else happens; empty where nothing does."""
        listed = self._tree.root / "tests.txt"
        listed.write_text("\n".join(tests), encoding="utf-8")
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        status, output = self._forks.pytest(
            [*QUIET, "-x", "-p", "sandbox.mutation.pytest_fast", *files],
            seconds=_START_SECONDS + _PATIENCE * self._record.seconds_of(tests),
            MUTATION_TESTS=str(listed),
        )
        if status == _NO_TESTS:
            raise RuntimeError(f"pytest found none of the tests:\n{output}")
        if status == _OK:
            return ""
        return next(iter(failures(output)), "import") if status is not None else "time"


@dataclass(frozen=True, slots=True)
class Share:
    """How many mutants of a package there were, and how many were noticed."""

    package: str
    noticed: int
    all: int

    @property
    def percent(self) -> float:
        """Of 100."""
        return 100 * self.noticed / self.all


def shares(outcomes: Iterable[Outcome], of: Callable[[Mutant], str] = lambda mutant: mutant.package) -> list[Share]:
    """By package, in the order of their names."""
    found = list(outcomes)
    total = Counter(of(it.mutant) for it in found)
    noticed = Counter(of(it.mutant) for it in found if it.outcome == NOTICED)
    return [Share(package, noticed[package], total[package]) for package in sorted(total)]
