"""The end of a run: its figures, and a failure that tells what to look into."""

import json
import os
from pathlib import Path

import pytest

from tests.chaos.app.checker import counts, violations
from tests.chaos.app.history import History
from tests.chaos.evidence import keep

_HERE = "tests/chaos/app"


def judge(history: History, folder: Path, capsys: pytest.CaptureFixture[str], *, evidence: str = "") -> None:
    """Fail where the checker finds something; the history is kept in `folder` or where `CHAOS_HISTORY` says.

    The figures of a run that is `evidence` are kept under that name (`tests.chaos.evidence`).
    """
    with capsys.disabled():
        print(f"\nseed {history.seed}: {json.dumps(counts(history))}")  # noqa: T201 -- the figures of the run
    found = violations(history)
    if found:
        kept = Path(os.environ.get("CHAOS_HISTORY", folder)) / f"history-{history.seed}.json"
        history.save(kept)
        told = "\n".join(str(violation) for violation in found[:30])
        pytest.fail(f"seed {history.seed}, {len(found)} violations, history in {kept}:\n{told}", pytrace=False)
    if evidence:
        keep(evidence, f"CHAOS_SEED={history.seed} python3 run.py chaos {_HERE} -k {evidence}", counts(history))
