"""What is kept of a comparison: since when each thing differs, and never more than a column holds."""

import json

from integration.operations.drift import Difference, Drift, DriftReport, DriftReports
from integration.protection import MemoryState


def differing(*addresses: str, at: str, lines: tuple[str, ...] = ("~ it",)) -> DriftReport:
    return DriftReport(at, Drift.FOUND, 3, tuple(Difference(it, it.partition(".")[0], lines) for it in addresses))


async def test_a_difference_has_the_time_of_the_report_that_named_it_first() -> None:
    """Until a report does not name it."""
    reports = DriftReports(MemoryState())
    assert await reports.last() is None
    await reports.keep(differing("step.a", at="1"))
    await reports.keep(differing("step.a", "step.b", at="2"))
    report = await reports.last()
    assert report is not None
    assert [(it.address, it.since) for it in report.differences] == [("step.a", "1"), ("step.b", "2")]
    await reports.keep(DriftReport("3", Drift.NONE, 5))
    assert (await reports.keep(differing("step.a", at="4"))).differences[0].since == "4"


async def test_what_could_not_be_compared_does_not_hide_what_was_known() -> None:
    reports = DriftReports(MemoryState())
    await reports.keep(differing("step.a", at="1"))
    report = await reports.keep(DriftReport("2", Drift.UNKNOWN, why="the file is missing"))
    assert (report.drift, report.count, report.differences[0].since) == (Drift.UNKNOWN, 1, "1")
    assert await reports.last() == report


async def test_a_report_that_is_too_large_for_a_column_says_what_it_left_out() -> None:
    state = MemoryState()
    long = tuple("x" * 5_000 for _ in range(20))
    report = await DriftReports(state).keep(differing(*(f"step.{n}" for n in range(20)), at="1", lines=long))
    assert report.count == 20
    assert 0 < len(report.differences) < 20
    document, _ = await state.read("drift")
    assert len(json.dumps(document)) < 32_000
