"""Mutants, each of them one small change of one file, and the choice of a sample."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.mutation.finder import Change, changes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of the file at `path`, which is relative to the repository, with slashes."""

    path: str
    change: Change
    nth: int
    """How many changes of the same wording stand before it in the file."""

    @property
    def name(self) -> str:
        """Its name, which stays the same when something else in its file changes."""
        it = self.change
        return f"{self.path}: {it.kind}: {it.before} -> {it.after} ({self.nth})"

    @property
    def package(self) -> str:
        """The package of `integration` that it is in, or the module where it is in none."""
        return package_of(self.path)

    def rank(self, seed: int) -> bytes:
        """Where it stands in the order of a seed."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).digest()

    def in_words(self) -> str:
        """The place and the change, for people."""
        it = self.change
        return f"{self.path}:{it.line}: {it.kind}: {_short(it.before)} -> {_short(it.after)}"


def package_of(path: str) -> str:
    """`events` of integration/events/body.py, `clock` of integration/clock.py."""
    return path.split("/")[1].removesuffix(".py")


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All mutants of one file."""
    found: list[Mutant] = []
    count: dict[tuple[str, str, str], int] = {}
    for change in changes(source):
        key = (change.kind, change.before, change.after)
        found.append(Mutant(path, change, count.setdefault(key, 0)))
        count[key] += 1
    return found


def all_mutants(root: Path, packages: Collection[str] = ()) -> list[Mutant]:
    """All mutants of `integration` below `root`, or of some of its packages."""
    found = []
    for file in sorted((root / "integration").rglob("*.py")):
        path = file.relative_to(root).as_posix()
        if not packages or package_of(path) in packages:
            found += mutants_of(path, file.read_text(encoding="utf-8"))
    return found


def sample(mutants: Iterable[Mutant], count: int, seed: int) -> list[Mutant]:
    """`count` of them, in an order that the seed decides.

    Each mutant has its own place in that order, so that a change of the code leaves most of the sample as it was.
    """
    return sorted(mutants, key=lambda mutant: mutant.rank(seed))[:count]


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LONGEST else f"{one_line[:_LONGEST]}…"


_LONGEST = 70
