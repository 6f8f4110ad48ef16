"""Every command of az on our pages, in our scripts and in our programs exists, with the options that it is given."""

import re

import pytest

from sandbox.repository import REPOSITORY
from tests.contract.infra.az_commands import SCRIPTED, calls, calls_in, known, unknown
from tests.contract.infra.bicep import INFRA

MADE = sorted({(name, command, tuple(options)) for name, command, options in calls()})


@pytest.mark.parametrize(("name", "command", "options"), MADE, ids=lambda it: it if isinstance(it, str) else "")
def test_a_command_exists_with_its_options(name: str, command: str, options: tuple[str, ...]) -> None:
    """As az lists them; which version was asked stands in az_commands.json."""
    assert unknown(command, options) == []


def test_programs_call_what_there_is() -> None:
    """The words of infra/deploy.py and its like, which they hand to az as a list."""
    text = "".join(path.read_text(encoding="utf-8") for path in INFRA.glob("*.py"))
    for words in re.findall(r'(?:ask|az)\(\s*\*?\(?((?:"[^"]+", )+)', text):
        options = re.findall(r'"(--[a-z-]+)"', words)
        plain = [it for it in re.findall(r'"([^"]+)"', words) if not it.startswith("-")]
        named = [command for command in SCRIPTED if command.split() == plain[: len(command.split())]]
        assert named, words
        assert unknown(named[0], options) == [], words


def test_the_version_is_one_that_publishing_takes() -> None:
    """The oldest that infra/publish.sh lets through, or a newer one."""
    script = (REPOSITORY / "infra" / "publish.sh").read_text(encoding="utf-8")
    (oldest,) = re.findall(r"^oldest=([\d.]+)$", script, re.MULTILINE)
    assert [int(it) for it in known()["version"].split(".")] >= [int(it) for it in oldest.split(".")]


def test_calls_are_found_wherever_they_stand() -> None:
    """Within substitutions and quotes, behind a pipe, over several lines; not in what is quoted or in a comment."""
    script = """# az is needed
A=$(az group show --name "$(az one --x y)" -o tsv) B='az no --way'
cat it | az two \\
  --long "az quoted --no"
"""
    assert sorted(calls_in(script)) == [
        ("group show", ["--name", "-o"]),
        ("one", ["--x"]),
        ("two", ["--long"]),
    ]


def test_a_misspelt_option_is_found() -> None:
    assert unknown("stack group create", ["--name", "--action-on-unmanaged"]) == ["--action-on-unmanaged"]
    with pytest.raises(KeyError):
        unknown("stack group make", [])
