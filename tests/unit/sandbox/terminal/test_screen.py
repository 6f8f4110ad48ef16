"""What is printed: whole words, within the width, colours only where they are wanted."""

import io

import pytest

from sandbox.terminal.screen import Screen

GUID = "a0000000-0000-4000-8000-000000000002"


class Terminal(io.StringIO):
    """Text that passes for a terminal."""

    def isatty(self) -> bool:
        return True


def printed(width: int, act: str, *arguments: object) -> list[str]:
    out = io.StringIO()
    getattr(Screen(out, width=width), act)(*arguments)
    return out.getvalue().splitlines()


def test_a_text_beside_a_head_is_wrapped_in_a_column_of_its_own() -> None:
    lines = printed(30, "beside", [("13:57 ", "dim"), ("ok  ", "green")], "one two three four five six")
    assert lines == ["13:57 ok  one two three four", " " * 10 + "five six"]


def test_columns_are_aligned_and_the_last_one_wraps() -> None:
    rows = [("1", "accepted", "a short text"), ("22", "dead-lettered", f"row {GUID} of a table")]
    lines = printed(62, "table", ("id", "state", "about"), rows)
    assert lines[0] == "  id  state          about"
    assert lines[1] == "  1   accepted       a short text"
    assert lines[2:] == [f"  22  dead-lettered  row {GUID}", " " * 21 + "of a table"]


def test_a_long_command_goes_on_in_the_next_line_and_keeps_its_quotes_together() -> None:
    line = 'python3 run.py change account "Contoso Ltd" telephone1="+44 20 7946 0000"'
    lines = printed(50, "command", line)
    assert lines == ['  python3 run.py change account "Contoso Ltd" \\', '    telephone1="+44 20 7946 0000"']
    assert " ".join(" ".join(lines).replace("\\", "").split()) == line


@pytest.mark.parametrize(
    ("out", "no_color", "coloured"), [(Terminal, None, True), (Terminal, "1", False), (io.StringIO, None, False)]
)
def test_colours_only_on_a_terminal_and_not_with_no_color(
    monkeypatch: pytest.MonkeyPatch, out: type[io.StringIO], no_color: str | None, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    stream = out()
    Screen(stream, width=40).say("text", "bold red")
    assert ("\033[" in stream.getvalue()) is coloured


def test_markup_in_data_is_only_text() -> None:
    assert printed(40, "say", "[red]a[/red] :smile: [link=x]") == ["[red]a[/red] :smile: [link=x]"]
