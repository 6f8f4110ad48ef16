"""docs/coverage.md claims nothing that no test holds, and names only commands and tests that exist."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from documentation.source import REPOSITORY
from sandbox.commands import catalogue

PAGE = (REPOSITORY / "docs" / "coverage.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Row:
    """One pattern and what is claimed about it."""

    pattern: str
    there: str
    what: str
    see: tuple[str, ...]
    held: tuple[str, ...]


def rows() -> Iterator[Row]:
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] != "pattern" and not set(line) <= set("|-"):
            pattern, there, what, see, held = cells
            yield Row(pattern, there, what, tuple(re.findall("`(.+?)`", see)), tuple(re.findall("`(.+?)`", held)))


ROWS = list(rows())


def test_the_page_is_read() -> None:
    """The tests below look at something."""
    assert len(ROWS) > 30
    assert {row.there for row in ROWS} == {"yes", "partly", "not yet"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.pattern)
def test_what_is_there_is_held_by_a_test_and_nothing_else_is(row: Row) -> None:
    """Yes and partly name a test; partly says what is missing; not yet names neither command nor test."""
    if row.there == "not yet":
        assert (row.see, row.held) == ((), ())
    else:
        assert row.held
        assert row.what


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.pattern)
def test_commands_and_tests_that_are_named_exist(row: Row) -> None:
    """A test that is renamed or a command that goes takes its mention along."""
    for command in row.see:
        found = re.fullmatch(r"python3 run\.py ([\w-]+)( .*)?", command)
        assert found, command
        assert catalogue.find(found[1]), command
        for path in re.findall(r"tests/[\w./-]+", found[2] or ""):
            assert (REPOSITORY / path).exists(), path
    for test in row.held:
        file, _, name = test.partition("::")
        assert (REPOSITORY / file).is_file(), test
        if name:
            assert re.search(rf"def {name}\(", (REPOSITORY / file).read_text(encoding="utf-8")), test
