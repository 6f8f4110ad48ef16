"""The tutorial, as printed, against a sandbox of its own."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.machine.ports import Ports
from sandbox.repository import REPOSITORY
from sandbox.running.sandbox import Sandbox
from tests.end_to_end.conftest import SETTINGS

PAGE = (REPOSITORY / "docs" / "tutorial" / "first-hour.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
ABOUT_THE_SANDBOX_ITSELF = {"up", "clean"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """The state directory of a running sandbox, as `run.py up` leaves it while it is up."""
    sandbox = Sandbox(tmp_path, Ports.free(), settings=SETTINGS, checks=True)
    sandbox.start()
    yield tmp_path
    sandbox.stop()


def printed(command: str, state: Path) -> str:
    """What a command of the page prints."""
    python, script, *arguments = shlex.split(command)
    assert (python, script) == ("python3", "run.py"), command
    done = subprocess.run(  # noqa: S603 -- a command of the page
        [sys.executable, "-m", "sandbox.commands", *arguments, "--state", str(state)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    expected = 1 if "dead-lettered" in done.stdout and "--follow" in arguments else 0
    assert done.returncode == expected, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def comparable(line: str) -> str:
    """A line without what differs from one run to the next: identifiers, numbers, width of columns."""
    line = re.sub(r"\d{12}-[0-9a-f]{32}|\b[0-9a-f]{8}\b", "<event>", line)
    return " ".join(re.sub(r"\d+(?= ms\b)", "#", line).split())


def test_the_commands_of_the_tutorial_print_what_it_says(state: Path) -> None:
    """Every line that the page shows is printed by the command above it."""
    event, output, commands = "", "", 0
    for kind, text in BLOCK.findall(PAGE):
        if kind == "text":
            lines = {comparable(line) for line in output.splitlines()}
            for line in filter(None, text.splitlines()):
                assert comparable(line) in lines, f"{line}\nis not in\n{output}"
            continue
        (command,) = text.splitlines()
        if command.split()[2] in ABOUT_THE_SANDBOX_ITSELF:
            continue
        output = printed(command.replace("<event>", event), state)
        commands += 1
        if named := re.search(r"event (\d{12}-[0-9a-f]{32})", output):
            event = named[1]
    assert commands > 10
