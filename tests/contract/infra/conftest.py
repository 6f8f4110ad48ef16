"""Says loudly what could not be checked of the infrastructure: a dot that is an `s` is easily overlooked."""

import pytest

REASON = "infra-unchecked: "


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name every skipped check of the infrastructure at the end of the run."""
    skipped = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", []) if report.longrepr}
    for reason in sorted(reason for reason in skipped if REASON in reason):
        terminalreporter.write_line(f"SKIPPED {reason.split(REASON)[1]}", yellow=True, bold=True)
