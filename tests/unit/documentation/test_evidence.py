"""docs/explanation/reliability.md has the figures of docs/evidence, and no others."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from documentation.source import REPOSITORY
from sandbox.running.erp import DEFAULT, ERPS

PAGE = REPOSITORY / "docs" / "explanation" / "reliability.md"
EVIDENCE = sorted((REPOSITORY / "docs" / "evidence").glob("*.json"))
PROMISES = ("lost", "done twice", "charged twice", "out of order", "not converged", "two statuses")
COUNTED = ("events", "deliveries", "kills", "strikes", *PROMISES, "other violations", "seconds")
ENDS = ("completed", "superseded", "resolved", "dead-lettered", "no-handler", "own writes", "effects", "charges")


def row(name: str, figures: dict[str, Any]) -> str:
    """The line of the page for one scenario: what every scenario counts, and beside it what only this one does."""
    promised = ", ".join(str(figures.get(promise, "")) for promise in PROMISES) if "lost" in figures else "none broken"
    more = "; ".join(f"{what} {value:,}" for what, value in figures.items() if what not in {*COUNTED, *ENDS})
    counted = (f"{figures[name]:,}" if name in figures else "" for name in ("events", "deliveries", "kills", "seconds"))
    return f"| [`{name}`](../evidence/{name}.json) | {' | '.join(counted)} | {promised} | {more} |"


def rows() -> Iterator[str]:
    """The lines of all scenarios."""
    for path in EVIDENCE:
        yield row(path.stem, evidence(path)["figures"])


def evidence(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_page_has_the_figures_that_were_kept() -> None:
    """Whoever runs a scenario again has the page changed with it: these are the lines that it needs."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| [`")]
    assert lines == list(rows()), "\n".join(rows())


@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: path.stem)
def test_what_was_kept_holds(path: Path) -> None:
    """Each says when, at which commit, where and with which command it was made, and no promise was broken."""
    kept = evidence(path)
    assert kept["date"]
    assert kept["commit"]
    assert kept["app"]
    assert kept["machine"]
    name = path.stem.removesuffix("-night")
    erp = next((it for it in ERPS if it != DEFAULT and name.endswith(f"-{it}")), "")
    with_erp = f" --erp {erp}" if erp else ""
    assert kept["command"].startswith(f"python3 run.py chaos {name.removesuffix(f'-{erp}') if erp else name}{with_erp}")
    assert [kept["figures"].get(promise, 0) for promise in PROMISES] == [0] * len(PROMISES)
