"""A pytest plugin: shows how many of the tests are done, and how long the others will take, instead of dots.

`-p sandbox.terminal.pytest_progress`. With pytest-xdist it counts in the process that the others report to.
"""

import os
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.terminal.progress import Progress
from sandbox.terminal.words import counted

_TITLE = os.environ.get("PYTEST_PROGRESS_TITLE", "Tests")


class TestProgress:
    """Counts finished tests; a failed one is named at once."""

    __test__ = False

    def __init__(self, config: pytest.Config) -> None:
        # pytest's own writer: standard output is captured while tests run.
        self._writer = config.get_terminal_writer()
        self._progress = Progress(_TITLE, out=self._writer._file)  # noqa: SLF001 -- it has no public name
        self._total = self._done = self._failed = 0
        self._progress.__enter__()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """How many there are, in one process."""
        self._total = self._total or len(session.items)

    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:  # noqa: ARG002 -- its names there
        """How many there are, in several processes: each collects them all."""
        self._total = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._show(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test has ended; the test with its last part."""
        if report.failed:
            self._failed += 1
            self._progress.say(f"FAILED {report.nodeid}")
        if report.when == "teardown":
            self._done += 1
        self._show(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
        """No letter for what passes or is skipped; a failure has its line already."""
        if isinstance(report, pytest.CollectReport) or hasattr(report, "wasxfail"):
            return None
        if report.failed:
            return ("failed" if report.when == "call" else "error", "", "")
        if report.skipped:
            return "skipped", "", ""
        return ("passed" if report.when == "call" else "", "", "")

    def pytest_sessionfinish(self) -> None:
        """The line goes; pytest's summary follows."""
        self._progress.__exit__(None, None, None)

    def _show(self, nodeid: str) -> None:
        name = nodeid.partition("::")[0].removeprefix("tests/")
        note = f"{counted(self._failed, 'failure')}, {name}" if self._failed else name
        self._progress.show(self._done, note, total=self._total)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register it, but only in the process whose output people see."""
    if not hasattr(config, "workerinput") and not config.option.collectonly and config.option.verbose <= 0:
        config.pluginmanager.register(TestProgress(config), "test-progress")
