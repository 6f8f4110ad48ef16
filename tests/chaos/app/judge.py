"""The end of a run in the default tests: its figures, and a failure that says what to look into."""

import json
from pathlib import Path

import pytest

from tests.books.history import History
from tests.chaos.app.checker import counts, violations


def judge(history: History, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fail where the checker finds something; the history is kept in `folder`."""
    with capsys.disabled():
        print(f"\nseed {history.seed}: {json.dumps(counts(history))}")  # noqa: T201 -- the figures of the run
    found = violations(history)
    if found:
        kept = folder / f"history-{history.seed}.json"
        history.save(kept)
        said = "\n".join(str(violation) for violation in found[:30])
        pytest.fail(f"seed {history.seed}, {len(found)} violations, history in {kept}:\n{said}", pytrace=False)
