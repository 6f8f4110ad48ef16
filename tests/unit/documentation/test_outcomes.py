"""The page of outcomes: every case has tests that exist, and a reason that is described."""

import re
from pathlib import Path

import pytest

from documentation.reasons import reasons
from sandbox.repository import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "outcomes.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| case")
]
DEMANDED = (
    "choice", "currency", "limit", "characters", "zero", "negative", "contact as the customer", "period is closed",
    "blocked", "Merge", "CreateMultiple", "several customers",
)  # fmt: skip


def named(row: list[str]) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", row[3])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_each_case_has_tests_that_exist(row: list[str]) -> None:
    assert named(row), row
    for name in named(row):
        file, _, test = name.partition("::")
        text = Path(REPOSITORY / file).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, name


def test_each_reason_is_one_that_the_app_can_give() -> None:
    known = set(reasons())
    words = {word for row in ROWS for word in re.findall(r"`([a-z-]+)`", row[2])}
    assert {word for word in words if word not in known and re.sub("^erp-", "<system>-", word) not in known} == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_a_dead_letter_has_a_reason(row: list[str]) -> None:
    assert bool(row[2]) or "dead letter" not in row[1]


@pytest.mark.parametrize("word", DEMANDED)
def test_the_cases_that_people_ask_about_are_there(word: str) -> None:
    assert any(word in row[0] for row in ROWS)
