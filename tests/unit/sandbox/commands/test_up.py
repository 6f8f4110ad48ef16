"""What `up` prints of events."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.commands import catalogue
from sandbox.commands.up import _Up
from sandbox.terminal.screen import Screen
from sandbox.watching.happenings import Happening

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"
AT = datetime(2026, 11, 26, 13, 57, 6, tzinfo=UTC)


@pytest.mark.parametrize(("options", "lines"), [((), 2), (("--quiet",), 0)])
def test_events_have_a_line_each_unless_it_is_to_be_quiet(tmp_path: Path, options: tuple[str, ...], lines: int) -> None:
    out = io.StringIO()
    command = catalogue.find("up")
    assert command is not None
    given = command.parser().parse_args(["--free-ports", "--state", str(tmp_path), *options])
    up = _Up(given, Screen(out, width=80))
    up._event(Happening(AT, "INFO", EVENT, "accepted", "Update of account Contoso Ltd"))
    up._event(Happening(AT, "ERROR", EVENT, "dead-lettered", "erp-rejected: the ERP refuses it"))
    shown = out.getvalue().splitlines()
    assert len(shown) == lines
    if lines:
        assert shown[0][8:] == " INFO  febca044 accepted      Update of account Contoso Ltd"
        assert shown[1][8:] == " ERROR febca044 dead-lettered erp-rejected: the ERP refuses it"
