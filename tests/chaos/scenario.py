"""A scenario of `run.py chaos`: something that is done to the running app, and what must hold afterwards."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.running.erp import DEFAULT
from sandbox.terminal.progress import Progress
from tests.books.history import History
from tests.books.keyless import KEYLESS, drafts, translated
from tests.chaos.app.checker import PROMISES, counts, violations


@dataclass(slots=True)
class Run:
    """One run of a scenario: how long it is, how far it is, its figures, and where it falls short.

    `folder` is for what it needs while it runs and for the histories in which something was found. `erp` is the kind
    of ERP (`sandbox.running.erp.ERPS`).
    """

    folder: Path
    progress: Progress
    seed: int
    night: bool = False
    erp: str = DEFAULT
    figures: dict[str, Any] = field(default_factory=dict)
    short: list[str] = field(default_factory=list)

    @property
    def rng(self) -> random.Random:
        """Chance that the seed repeats."""
        return random.Random(self.seed)  # noqa: S311 -- repeatable

    def size(self, minutes: int, night: int) -> int:
        """How much of something: in the short scenario, and in the one for a night."""
        return night if self.night else minutes

    def show(self, done: int, note: str = "", *, total: int | None = None) -> None:
        """So much is done."""
        self.progress.show(done, note, total=total)

    def figure(self, **figures: Any) -> None:
        """Figures for the evidence, under these names with spaces for underscores."""
        self.figures |= {name.replace("_", " "): value for name, value in figures.items()}

    def demand(self, holds: object, what: str) -> None:
        """Something that must hold; `what` says what is short where it does not."""
        if not holds:
            self.short.append(what)

    def judge(self, history: History) -> None:
        """Have the checker judge; its counts become figures, and every broken promise makes the run fall short."""
        if self.erp in KEYLESS:
            created, left = drafts(history.effects)
            self.figure(orders_asked_for=created, drafts_without_a_line_left=left)
        history = translated(self.erp, history)
        counted = counts(history)
        for name in PROMISES:
            counted[name] = counted.get(name, 0) + self.figures.get(name, 0)
        self.figures |= counted
        found = violations(history)
        if found:
            path = self.folder / f"history-{len(self.short)}.json"
            history.save(path)
            self.short += [f"{len(found)} broken promises; what was seen is in {path}", *map(str, found[:30])]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario by its name: what it does in one sentence, about how many minutes it takes, and what runs it."""

    name: str
    does: str
    minutes: int
    night_minutes: int
    run: Callable[[Run], None]
    erps: tuple[str, ...] = (DEFAULT,)
    """The kinds of ERP that it can be run with."""


def by_name(scenarios: list[Scenario]) -> Mapping[str, Scenario]:
    """The scenarios by their names."""
    return {scenario.name: scenario for scenario in scenarios}
