"""The scenarios of `run.py chaos` are listed, keep figures only when they hold, and fail when they do not."""

import argparse
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.running.erp import DEFAULT
from sandbox.terminal.progress import Progress
from sandbox.terminal.screen import Screen
from tests.chaos import main
from tests.chaos.app.checker import PROMISES
from tests.chaos.app.test_checker import CORRUPTIONS, sound
from tests.chaos.scenario import Run, Scenario
from tests.chaos.scenarios.busy import judge_session
from tests.chaos.scenarios.large_events import judge_large, note_of
from tests.chaos.scenarios.outage import judge_budget, judge_outage


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scenario keeps its figures, and where it runs."""

    kept: Path
    state: Path

    def run(self, work: Callable[[Run], None], *, night: bool = False) -> tuple[bool, str]:
        """Whether it holds, and what is said."""
        out = io.StringIO()
        given = argparse.Namespace(seed=7, night=night, keep=self.kept, state=self.state, erp=DEFAULT)
        holds = main.run_scenario(Scenario("example", "An example.", 1, 2, work), Screen(out, width=100), given)
        return holds, out.getvalue()

    def left(self) -> list[Path]:
        """The folders of runs that are still there."""
        return list(self.state.glob("*"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The folder for what is temporary cannot be written to: whoever uses it fails."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
    return Place(tmp_path / "kept", tmp_path / "state")


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a scenario nothing runs."""
    assert main.main([]) == 0
    listed = capsys.readouterr().out
    assert all(scenario.name in listed for scenario in main.SCENARIOS)
    assert len({scenario.name for scenario in main.SCENARIOS}) == len(main.SCENARIOS)


def test_a_scenario_that_there_is_not_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["frozn"]) == 2
    assert "frozn" in capsys.readouterr().out


def test_the_figures_of_a_scenario_that_holds_are_kept(place: Place) -> None:
    """With date, commit, command and all promises."""
    holds, said = place.run(lambda run: run.judge(sound()))
    assert holds, said
    kept = json.loads((place.kept / "example.json").read_text(encoding="utf-8"))
    assert kept["command"] == "python3 run.py chaos example --seed 7"
    assert {"date", "commit", "app", "machine"} <= kept.keys()
    promised = {name: kept["figures"][name] for name in PROMISES}
    assert promised == dict.fromkeys(
        ("lost", "done twice", "charged twice", "out of order", "not converged", "two statuses"), 0
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_scenario_with_a_broken_promise_falls_short(place: Place, name: str) -> None:
    """It names what is broken, and leaves the figures of an earlier run alone."""
    promise, corrupt = CORRUPTIONS[name]
    history = sound()
    corrupt(history)
    holds, said = place.run(lambda run: run.judge(history))
    assert not holds
    assert promise in said
    assert not place.kept.exists()


def test_a_scenario_that_demands_more_than_there_was_falls_short(place: Place) -> None:
    def work(run: Run) -> None:
        run.judge(sound())
        run.demand(run.figures["kills"] >= 1, "nothing was killed")

    holds, said = place.run(work)
    assert not holds
    assert "nothing was killed" in said


def test_a_run_that_holds_leaves_nothing(place: Place) -> None:
    """Its folder goes, with what it has written there."""
    seen: list[Path] = []

    def work(run: Run) -> None:
        seen.append(run.folder)
        (run.folder / "copy").mkdir()
        run.judge(sound())

    holds, said = place.run(work)
    assert holds, said
    assert seen[0].is_relative_to(place.state)
    assert place.left() == []


def test_a_run_that_falls_short_leaves_its_logs_until_the_next_one(place: Place) -> None:
    """So that they can be read, and do not pile up."""
    for _ in range(2):
        _, said = place.run(lambda run: run.demand(holds=False, what="nothing was killed"))
        (left,) = place.left()
        assert (left / "chaos.log").exists()
        assert str(left) in "".join(said.split())
    place.run(lambda run: run.judge(sound()))
    assert place.left() == []


def test_a_scenario_that_ends_early_falls_short(place: Place) -> None:
    def work(_run: Run) -> None:
        raise TimeoutError("an empty work queue did not happen")

    holds, said = place.run(work)
    assert not holds
    assert "an empty work queue" in said


MANY = [float(number) / 10 for number in range(800)]

LARGE = [{"path": f"purchases/P-{number}", "body": {"note": note_of(number)}} for number in range(2)]


def judge_all_large(run: Run, **changed: Any) -> None:
    given = {"states": Counter(completed=2), "done": LARGE, "left": set[str](), **changed}
    judge_large(run, given["states"], given["done"], given["left"], events=2)


SEEDED: dict[str, tuple[str, Callable[[Run], None]]] = {
    "an ERP that is away is asked all the time": (
        "requests to an ERP", lambda run: judge_outage(run, away=60, refused=900, asked=[1.0])
    ),
    "an ERP that is back is overrun at once": (
        "in one of the first seconds", lambda run: judge_outage(run, away=60, refused=3, asked=[1.0] * 50)
    ),
    "an ERP that is back is overrun later": (
        "in one second", lambda run: judge_outage(run, away=60, refused=3, asked=[1.0, *[20.0] * 300])
    ),
    "nobody asks it": ("nothing was asked", lambda run: judge_outage(run, away=60, refused=3, asked=[])),
    "more requests than Dataverse allows": (
        "in five minutes, more", lambda run: judge_budget(run, MANY, limit=600, refused=0)
    ),
    "requests that Dataverse refuses": (
        "refused 2", lambda run: judge_budget(run, MANY, limit=600, refused=2)
    ),
    "a budget that nobody needs": ("no test of a limit", lambda run: judge_budget(run, MANY, limit=6_000, refused=0)),
    "two workers on one record": (
        "beside another one", lambda run: judge_session(run, [1.0, 2.0, 3.0, 6.0], slow=2.5, renewed=9, lost=1)
    ),
    "a session lock that is never lost": (
        "never lost", lambda run: judge_session(run, [1.0, 4.0], slow=2.5, renewed=9, lost=0)
    ),
    "a session lock that is not renewed": (
        "renewed 2 times", lambda run: judge_session(run, [1.0, 4.0], slow=2.5, renewed=2, lost=1)
    ),
    "a large event that is not done": ("1 events were never done", lambda run: judge_all_large(run, done=LARGE[1:])),
    "a large event that is done twice": (
        "done more than once: ['purchases/P-1']", lambda run: judge_all_large(run, done=[*LARGE, LARGE[1]])
    ),
    "a large event without what it carries": (
        "not all that their events carry",
        lambda run: judge_all_large(run, done=[*LARGE[1:], {"path": "purchases/P-0", "body": {"note": "short"}}]),
    ),
    "a large event that waits for ever": (
        "of 2 events, 1 have ended well", lambda run: judge_all_large(run, states=Counter(completed=1))
    ),
    "a blob that is left": ("1 blobs are left", lambda run: judge_all_large(run, left={"a/b/c"})),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEDED)
def test_what_a_scenario_measures_itself_can_fall_short(place: Place, name: str) -> None:
    """Rates, budgets and locks are judged by the scenario, not by the checker of histories."""
    short, work = SEEDED[name]
    holds, said = place.run(work)
    assert not holds
    assert short in " ".join(said.split())


def test_what_a_scenario_measures_itself_can_hold(place: Place) -> None:
    def work(run: Run) -> None:
        judge_outage(run, away=60, refused=3, asked=[1.0, 1.2, *[20.0] * 100])
        judge_budget(run, [number * 0.6 for number in range(800)], limit=600, refused=0)
        judge_session(run, [1.0, 4.0, 5.0, 8.0], slow=2.5, renewed=9, lost=1)
        judge_all_large(run)

    holds, said = place.run(work)
    assert holds, said


def test_the_scenario_for_a_night_is_longer_and_kept_under_its_own_name(tmp_path: Path, place: Place) -> None:
    run = Run(tmp_path, Progress("x"), 7, night=True)
    assert (run.size(20, 100), Run(tmp_path, Progress("x"), 7).size(20, 100)) == (100, 20)
    holds, _ = place.run(lambda run: run.judge(sound()), night=True)
    assert holds
    assert (place.kept / "example-night.json").exists()
