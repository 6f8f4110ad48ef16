"""The page of the host names tests for its rules: they are there."""

import re
from pathlib import Path

from sandbox.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "sandbox-host.md").read_text(encoding="utf-8")
RULES = PAGE.split("## Rules that surprise")[1].split("## What stops the start")[0]
TESTS = "\n".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))


def test_every_test_that_a_rule_names_exists() -> None:
    named = re.findall(r"`(test_\w+)`", RULES)
    assert len(named) > 50
    assert not [name for name in named if f"def {name}(" not in TESTS]


def test_every_rule_has_a_source_and_a_test() -> None:
    rows = [line.strip("| ").split(" | ") for line in RULES.splitlines() if line.startswith("| ") and "**" not in line]
    assert not [row for row in rows[1:] if len(row) != 3 or not row[1] or "`test_" not in row[2]]
