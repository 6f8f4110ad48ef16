"""Changes by hundreds while processes are killed: nothing is lost, nothing is done twice, nothing goes backwards.

`CHAOS_SEED` repeats a run's changes and strikes; `CHAOS_CHANGES` and `CHAOS_KILLS` size the long form. A history in
which the checker finds something is kept in `CHAOS_HISTORY` (default: the test's temporary directory).
"""

import os
import random
import threading
from pathlib import Path

import pytest

from tests.chaos.app.judge import judge
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.run import Bench, run

SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(1_000_000)))
CHANGES = int(os.environ.get("CHAOS_CHANGES", "1200"))
KILLS = int(os.environ.get("CHAOS_KILLS", "20"))


def a_few(nemesis: Nemesis, done: threading.Event) -> None:
    """The worker twice, the broker and the intake once each, and calls that fail.

    A worker that sleeps past its locks is left to the long form: docs/explanation/reliability.md says what it
    may still do.
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


def many(nemesis: Nemesis, done: threading.Event) -> None:
    """By chance, until so many kills are done, and at least as long as people are at work."""
    while not done.wait(0.5) or sum(strike.startswith("kill") for strike in nemesis.strikes) < KILLS:
        nemesis.strike()


def test_four_kills_lose_and_double_nothing(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """About 120 changes within ten seconds, kills and failing calls meanwhile: the history is without violation."""
    history = run(bench, seed=SEED, changes=120, rate=14, strikes=a_few)
    judge(history, tmp_path, capsys)
    assert len(history.accepted) >= 90
    assert any(answer.own for answer in history.answers), "no write-back came back to the intake"


@pytest.mark.slow
def test_many_kills_lose_and_double_nothing(bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that can be killed is killed, again and again, under load."""
    history = run(bench, seed=SEED, changes=CHANGES, rate=25, strikes=many, within=180)
    judge(history, tmp_path, capsys, evidence="many_kills")
    assert sum(strike.startswith("kill") for strike in history.nemesis) >= KILLS, "fewer kills than asked for"
