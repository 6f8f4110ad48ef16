"""The commands as run.py lists them and as `--help` explains them."""

import argparse

import pytest

from sandbox.commands import catalogue
from sandbox.commands.__main__ import main
from sandbox.commands.catalogue import COMMANDS, WIDTH, Command
from sandbox.commands.test import CHECKS_FAILED

each = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)


@each
def test_every_command_explains_itself_within_80_columns(command: Command) -> None:
    """A description, every option with a meaning, no line too long."""
    parser = command.parser()
    assert len((parser.description or "").split()) > 3
    assert not [action.dest for action in parser._actions if not action.help]
    assert max(map(len, parser.format_help().splitlines())) <= WIDTH


@each
def test_help_is_the_commands_own_and_runs_nothing(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: run.py {command.name}")


def test_the_list_is_within_80_columns_and_groups_every_command() -> None:
    assert max(map(len, catalogue.listing().splitlines())) <= WIDTH
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_the_reference_has_every_command_with_its_help() -> None:
    found = {reference.command.name: reference.help for reference in catalogue.references()}
    assert list(found) == [command.name for command in COMMANDS]
    assert all(text.startswith(f"usage: run.py {name}") for name, text in found.items())


def test_what_test_does_not_know_goes_to_pytest_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    def run_pytest(arguments: list[str], *, title: str) -> int:
        given.append(arguments)
        return 5 if title else 0

    monkeypatch.setattr("sandbox.commands.test.run_pytest", run_pytest)
    monkeypatch.setattr("sandbox.commands.test.install_azurite", lambda: None)
    assert main(["test", "tests/x.py", "-k", "kill", "--maxfail=1"]) == 5
    assert given == [["tests/x.py", "-k", "kill", "--maxfail=1"]]


def test_a_check_that_fails_counts_whatever_the_tests_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit status is one that no failed test has."""
    monkeypatch.setattr("sandbox.commands.test.failed_checks", lambda: ["mypy"])
    monkeypatch.setattr("sandbox.commands.test.install_azurite", lambda: None)
    for of_pytest in (0, 1):
        monkeypatch.setattr("sandbox.commands.test.run_pytest", lambda _arguments, *, title, it=of_pytest: it)
        assert main(["test"]) == CHECKS_FAILED


def test_chaos_has_its_scenarios_run_where_the_tests_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the sandbox imports the tests."""
    given: list[tuple[str, ...]] = []

    def call(command: tuple[str, ...]) -> int:
        given.append(command[1:])
        return 1

    monkeypatch.setattr("sandbox.commands.chaos.call", call)
    assert main(["chaos", "frozen", "--night", "--seed", "7"]) == 1
    assert given == [("-m", "sandbox.terminal.ending", "tests.chaos.main", "frozen", "--night", "--seed", "7")]


def test_no_command_takes_an_abbreviated_option() -> None:
    """`--for` is not `--force`: what a script says today means the same tomorrow."""
    parser = catalogue.find("up").parser()  # type: ignore[union-attr]
    with pytest.raises(SystemExit):
        parser.parse_args(["--for"])


def test_words_of_a_description_stay_whole() -> None:
    formatter = catalogue._HelpFormatter("x")
    text = formatter._fill_text("a dead-letter " * 12 + "\n\n    run.py   kept   as it is", 40, "")
    assert "    run.py   kept   as it is" in text
    assert text.replace("\n", " ").count("dead-letter ") == 12


def test_a_parser_needs_no_options() -> None:
    assert catalogue.find("lint").parser().parse_args([]) == argparse.Namespace()  # type: ignore[union-attr]
