"""`run.py mutate`: which changes are tried, what is shown of them, and what is kept."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.commands import mutate
from sandbox.commands.__main__ import main
from sandbox.mutation.mutants import Mutant
from sandbox.mutation.record import FailingTestsError
from sandbox.mutation.run import NOT_NOTICED, NOTICED, Outcome

CODE = "def larger(a, b):\n    return a > b\n"


class Trials:
    """Notices all but what another comparison changes."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    def of(self, mutant: Mutant) -> Outcome:
        self.tried.append(mutant.change.kind)
        noticed = mutant.change.kind != "another comparison"
        return Outcome(mutant, NOTICED if noticed else NOT_NOTICED, 1)


@pytest.fixture
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trials:
    """Mutants of one small file, tried without any test."""
    (tmp_path / "integration" / "words").mkdir(parents=True)
    (tmp_path / "integration" / "words" / "larger.py").write_text(CODE)
    trials = Trials()
    parts: dict[str, Any] = {
        "REPOSITORY": tmp_path,
        "DEFAULT_STATE": tmp_path / "state",
        "POSSIBLE": True,
        "install_azurite": lambda: None,
        "Tree": lambda _repository, root: SimpleNamespace(root=root),
        "record": lambda _tree, _cache, _say: None,
        "Forks": lambda _root: nullcontext(),
        "Trial": lambda _tree, _forks, _record: trials,
    }
    for name, part in parts.items():
        monkeypatch.setattr(mutate, name, part)
    return trials


def test_what_is_not_noticed_is_shown_and_tried_again(
    trials: Trials, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert main(["mutate", "--json", str(first)]) == 0
    shown = capsys.readouterr().out

    assert sorted(trials.tried) == ["another comparison", "nothing returned"]
    assert "not noticed: integration/words/larger.py:2: another comparison: a > b -> (a >= b)" in shown
    assert "words     1 of    2 noticed    50 %" in shown
    document = json.loads(first.read_text())
    assert document["packages"] == {"words": {"noticed": 1, "all": 2}}
    assert {it["outcome"] for it in document["outcomes"]} == {NOTICED, NOT_NOTICED}

    trials.tried.clear()
    assert main(["mutate", "--again", str(first), "--json", str(second)]) == 0
    assert trials.tried == ["another comparison"]


def test_a_sample_is_as_large_as_asked_for(trials: Trials, tmp_path: Path) -> None:
    assert main(["mutate", "--sample", "1", "--json", str(tmp_path / "x.json")]) == 0
    assert len(trials.tried) == 1


def test_nothing_of_a_run_is_left_but_its_file(trials: Trials, tmp_path: Path) -> None:
    main(["mutate", "--json", str(tmp_path / "state" / "mutate.json")])
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["mutate.json"]


def test_tests_that_fail_anyway_are_shown_first(
    trials: Trials, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """They would notice every change."""

    def fail(*_: object) -> None:
        raise FailingTestsError("FAILED tests/x.py::test_y")

    monkeypatch.setattr(mutate, "record", fail)
    assert main(["mutate", "--json", str(tmp_path / "x.json")]) == 1
    assert "FAILED tests/x.py::test_y" in capsys.readouterr().out
    assert trials.tried == []


@pytest.mark.parametrize("content", [None, "no json", "[]", "{}"])
def test_a_file_that_is_none_of_ours_is_named(
    trials: Trials, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    if content is not None:
        (tmp_path / "other.json").write_text(content)
    assert main(["mutate", "--again", str(tmp_path / "other.json")]) == 1
    said = capsys.readouterr()
    assert "other.json is no file that --json has written" in " ".join((said.out + said.err).split())


def test_on_windows_it_says_that_it_cannot(
    trials: Trials, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(mutate, "POSSIBLE", False)
    assert main(["mutate"]) == 1
    assert "Windows" in capsys.readouterr().out
