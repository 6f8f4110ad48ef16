"""Figures for people and for programs."""

import math

import pytest

from sandbox.bench import report
from sandbox.bench.goals import Goal
from sandbox.bench.measures import IntakeFigures, WorkerFigures, percentile
from sandbox.bench.rounds import Measured, Round, without_host


def measured(*worker_ms: float) -> Measured:
    """A subject with a round for each of these."""
    intake = IntakeFigures(4, 400.0, [0.001, 0.002, 0.003, 0.1], [0.0] * 4, 1.0, 0.4, 80.0)
    return Measured("one", [Round(intake, intake, WorkerFigures(9, 50.0, ms, 0.5, 90.0)) for ms in worker_ms])


def test_a_percentile_is_one_of_the_values() -> None:
    """Nearest rank: nothing is interpolated."""
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.99) == 4.0
    assert math.isnan(percentile([], 0.5))


def test_the_table_has_medians_over_the_rounds() -> None:
    """One slow round does not make a slow subject."""
    row = next(
        line for line in report.comparison([measured(2.0, 30.0, 3.0)]).splitlines() if "CPU ms per event " in line
    )
    assert "3.00" in row


def test_what_a_subject_has_not_is_a_dash() -> None:
    """The comparators have no host to subtract."""
    text = report.comparison([measured(2.0)])
    row = next(line for line in text.splitlines() if "without the host" in line)
    assert row.split("|")[2].strip() == "-"
    assert without_host(measured(2.0).rounds[0]) is None


def test_the_document_has_every_round() -> None:
    """So that the spread can be judged, not only the median."""
    (subject,) = report.document({"one": measured(2.0, 30.0, 3.0)})
    assert subject["figures"]["workerCpuMs"] == {"median": 3.0, "rounds": [2.0, 30.0, 3.0]}


@pytest.mark.parametrize(("value", "word"), [(1.0, "met"), (3.0, "MISSED"), (None, "not measured")])
def test_each_goal_says_whether_it_is_met(value: float | None, word: str) -> None:
    """And stands beside its limit."""
    line = report.goals_table([Goal("some figure", 2.0, value, unit="ms")]).splitlines()[-1]
    assert [cell.strip() for cell in line.split("|")][2:5:2] == ["at most 2 ms", word]
