"""Changes by hundreds while processes are killed: nothing is lost, nothing is done twice, nothing goes backwards.

`CHAOS_SEED` repeats a run's changes and strikes. `run.py chaos` has the long scenarios.
"""

import os
import random
import threading
from pathlib import Path

import pytest

from tests.chaos.app.bench import Bench
from tests.chaos.app.judge import judge
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.run import run

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))


def a_few(nemesis: Nemesis, done: threading.Event) -> None:
    """The worker twice, the broker and the intake once each, and calls that fail.

    Workers that sleep past their locks are left to the scenario `frozen` of `run.py chaos`.
    """
    for strike in (
        nemesis.fail,
        lambda: nemesis.kill("host-events"),
        nemesis.fail,
        lambda: nemesis.kill("broker"),
        nemesis.fail,
        lambda: nemesis.kill("host-http"),
        nemesis.fail,
        lambda: nemesis.kill("host-events"),
    ):
        done.wait(0.3)
        strike()


def test_four_kills_lose_and_double_nothing(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """About 120 changes within ten seconds, kills and failing calls meanwhile: the history is without violation."""
    history = run(bench, seed=SEED, changes=120, rate=14, strikes=a_few)
    judge(history, tmp_path, capsys)
    assert len(history.accepted) >= 90
    assert any(answer.own for answer in history.answers), "no write-back came back to the intake"
