"""Commands end without a traceback when nobody reads their output, and when Ctrl-C interrupts them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY
from sandbox.terminal.ending import INTERRUPTED, READER_GONE, ended

CLEANS_UP = """
import sys
from sandbox.terminal.ending import ended
from sandbox.terminal.screen import Screen
def main():
    try:
        Screen().say("somebody reads this")
        return 0
    finally:
        print("cleaned up", flush=True)
        print("cleaned up", file=sys.stderr)
sys.exit(ended(main))
"""


def with_closed_pipe(*command: str, errors: int = subprocess.PIPE) -> tuple[int, str]:
    """The exit status of a program whose standard output is a pipe that nobody reads, and its standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(  # noqa: S603 -- our own programs
            [sys.executable, *command], cwd=REPOSITORY, stdout=writer, stderr=errors, timeout=60, check=False
        )
    finally:
        os.close(writer)
    return done.returncode, (done.stderr or b"").decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize(
    "command",
    [("run.py", "--help"), ("-m", "sandbox.commands", "doctor"), ("-m", "sandbox.commands", "chaos")],
    ids=["run.py itself", "lines on a screen", "a program of its own"],
)
def test_a_command_that_nobody_reads_ends_quietly(command: tuple[str, ...]) -> None:
    assert with_closed_pipe(*command) == (READER_GONE, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_it_cleans_up_first() -> None:
    """What it prints meanwhile is dropped, except on standard error if that is read."""
    assert with_closed_pipe("-c", CLEANS_UP) == (READER_GONE, "cleaned up\n")
    assert with_closed_pipe("-c", CLEANS_UP, errors=subprocess.STDOUT) == (READER_GONE, "")


def test_a_command_that_ctrl_c_interrupts_has_the_status_of_that() -> None:
    def main() -> int:
        raise KeyboardInterrupt

    assert ended(main) == INTERRUPTED


@pytest.mark.skipif(sys.platform == "win32", reason="a test cannot send Windows' console signals")
def test_a_program_of_its_own_that_ctrl_c_interrupts_has_no_traceback(tmp_path: Path) -> None:
    """It gets its arguments, and its own exit status is kept."""
    (tmp_path / "waits.py").write_text("import sys, time; print(sys.argv[1:], flush=True); time.sleep(60)")
    (tmp_path / "ends.py").write_text("import sys; sys.exit(3)")
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    command = [sys.executable, "-m", "sandbox.terminal.ending"]
    with subprocess.Popen(  # noqa: S603 -- our own programs
        [*command, "waits", "-x"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waits:
        assert waits.stdout is not None
        assert waits.stdout.readline() == "['-x']\n"
        waits.send_signal(signal.SIGINT)
        assert waits.communicate(timeout=60)[1] == ""
    assert waits.returncode == INTERRUPTED
    assert subprocess.run([*command, "ends"], env=environ, check=False).returncode == 3  # noqa: S603 -- as above
