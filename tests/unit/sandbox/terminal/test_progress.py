"""How far something is."""

import io

import pytest

from sandbox.client import eventually
from sandbox.terminal.progress import Progress


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """Text that passes for a terminal."""

    def isatty(self) -> bool:
        return True


def test_the_line_says_done_left_and_an_estimate() -> None:
    clock = Clock()
    progress = Progress("Tests", 200, out=io.StringIO(), clock=clock)
    assert progress.line() == "Tests: 0 of 200"
    clock.now += 30
    progress.show(50, "tests/unit")
    assert progress.line() == "Tests: 50 of 200, 30 s, about 90 s left, tests/unit"


def test_without_a_total_it_only_counts() -> None:
    progress = Progress("Fetching", out=io.StringIO(), clock=Clock())
    assert progress.line() == "Fetching"
    progress.show(3, "msal")
    assert progress.line() == "Fetching: 3, msal"


def test_where_nobody_watches_there_is_a_plain_line_now_and_then() -> None:
    """No carriage returns, no escapes, and not a line for every test."""
    clock, out = Clock(), io.StringIO()
    with Progress("Tests", 100, out=out, clock=clock) as progress:
        for done in range(1, 101):
            clock.now += 0.5
            progress.show(done)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Tests: 20 of 100, 10 s, about 40 s left"
    assert len(lines) == 5
    assert not set(out.getvalue()) & {"\r", "\033"}


def test_where_nobody_watches_a_long_wait_has_its_line_too() -> None:
    """A single test of minutes is not silence in a log."""
    clock, out = Clock(), io.StringIO()
    with Progress("Long tests", 1, out=out, clock=clock) as progress:
        progress.show(0, "chaos")
        clock.now += 45
        eventually(out.getvalue, within=5, what="a line")
    assert out.getvalue() == "Long tests: 0 of 1, 45 s, chaos\n"


def test_on_a_terminal_one_line_changes_and_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    with Progress("Tests", 2, out=out) as progress:
        progress.show(1, "a/very/long/name/that/does/not/fit/at/all.py")
        progress.say("FAILED x")
    assert out.getvalue().endswith("\r\033[K")
    assert "FAILED x\n" in out.getvalue()
    drawn = [part.removesuffix("\033[K") for part in out.getvalue().replace("\n", "\r").split("\r")]
    assert "Tests: 1 of 2" in drawn
    assert max(map(len, drawn)) < 30
