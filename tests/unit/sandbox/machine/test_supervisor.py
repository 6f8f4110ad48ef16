"""The supervisor, with small real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.machine.process import Program, StartError
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY

STEADY = """
import pathlib, sys, time
print("hello from", sys.argv[1], flush=True)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STEADY
FAILING = "import sys; sys.exit('the reason it failed')"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, REPOSITORY, said.append)
    yield supervisor
    supervisor.stop()


def program(path: Path, source: str = STEADY, stop_seconds: float = 5.0) -> Program:
    """A process named like the file that it makes when it is ready."""
    command = (sys.executable, "-c", source, str(path))
    return Program(path.name, command, path.exists, stop_seconds=stop_seconds)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # What has ended and was not waited for by its parent is still listed.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_a_group_is_ready_when_all_of_it_is_and_gone_after_stop(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run([program(tmp_path / "one"), program(tmp_path / "two")])
    pids = [supervisor.pid(name) for name in supervisor.names]
    supervisor.stop()
    assert supervisor.names == ["one", "two"]
    assert not any(alive(pid) for pid in pids if pid)
    assert [supervisor.pid(name) for name in supervisor.names] == [None, None]


def test_what_a_process_writes_is_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run([program(tmp_path / "one")])
    assert supervisor.log("one").read_text().startswith("hello from")


def test_a_process_that_ends_early_fails_the_start_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"(?s)bad ended with status 1 .* the reason it failed"):
        supervisor.run([program(tmp_path / "bad", FAILING)])


def test_a_process_that_does_not_become_ready_in_time_is_reported(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run([program(tmp_path / "one")])
    (tmp_path / "one").unlink()
    with pytest.raises(StartError, match="one was not ready in time"):
        supervisor.wait_ready("one", seconds=0.1)


def test_a_killed_process_stays_down_until_it_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run([program(tmp_path / "one")])
    supervisor.watch()
    first = supervisor.pid("one")
    supervisor.kill("one")
    time.sleep(0.3)
    assert supervisor.pid("one") is None
    supervisor.start("one")
    assert supervisor.pid("one") not in {None, first}


def test_a_process_that_dies_by_itself_is_started_again(
    supervisor: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    supervisor.run([program(tmp_path / "one")])
    supervisor.watch()
    first = supervisor.pid("one")
    assert first is not None
    os.kill(first, signal.SIGTERM)
    assert eventually(lambda: supervisor.pid("one") not in {None, first})
    assert any("one ended with status" in line for line in said)


def test_what_keeps_dying_is_started_with_growing_pauses(
    supervisor: Supervisor, tmp_path: Path, said: list[str]
) -> None:
    supervisor.run([program(tmp_path / "one", STEADY.replace("60", "0.05"))])
    supervisor.watch()
    time.sleep(2.5)
    restarts = [line for line in said if "starting it again" in line]
    # At once, then half a second, then one second after it; without pauses there would be a dozen.
    assert 2 <= len(restarts) <= 4


def test_an_environment_given_at_restart_is_used(supervisor: Supervisor, tmp_path: Path) -> None:
    source = "import os; print('colour', os.environ.get('COLOUR'), flush=True)\n" + STEADY
    supervisor.run([program(tmp_path / "one", source)])
    supervisor.restart("one", {"COLOUR": "red"})
    assert eventually(lambda: "colour red" in supervisor.log("one").read_text())


def test_processes_are_restarted_together(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.run([program(tmp_path / "one"), program(tmp_path / "two"), program(tmp_path / "three")])
    before = [supervisor.pid(name) for name in supervisor.names]
    supervisor.restart_together(["one", "three"])
    after = [supervisor.pid(name) for name in supervisor.names]
    assert None not in after
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True, False]


def test_a_restart_that_fails_leaves_none_of_them(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    """Nor does the watcher start what was never ready."""
    broken = tmp_path / "broken"
    source = (
        f"import pathlib, sys\nif pathlib.Path({str(broken)!r}).exists(): sys.exit('the reason it failed')\n" + STEADY
    )
    supervisor.run([program(tmp_path / "one"), program(tmp_path / "two", source)])
    supervisor.watch()
    (tmp_path / "two").unlink()
    broken.touch()
    with pytest.raises(StartError, match=r"(?s)two ended with status 1 .* the reason it failed"):
        supervisor.restart_together(["one", "two"])
    time.sleep(0.3)
    assert [supervisor.pid(name) for name in supervisor.names] == [None, None]
    assert not any("starting it again" in line for line in said)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to ignore")
def test_what_does_not_end_in_its_time_is_killed(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    supervisor.run([program(tmp_path / "one", STUBBORN, stop_seconds=0.2)])
    pid = supervisor.pid("one")
    assert pid is not None
    supervisor.stop()
    assert not alive(pid)
    assert "one did not end in 0 s and was killed" in said


def test_a_cancelled_start_gives_up(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.cancel()
    with pytest.raises(StartError, match="interrupted"):
        supervisor.run([program(tmp_path / "one")])


SUPERVISING = """
import pathlib, sys, time
sys.path.insert(0, sys.argv[1])
from sandbox.machine.process import Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY
from sandbox.repository import REPOSITORY
ready = pathlib.Path(sys.argv[2])
source = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"
supervisor = Supervisor(ready.parent, pathlib.Path(sys.argv[1]))
supervisor.run([Program("child", (sys.executable, "-c", source, str(ready)), ready.exists)])
print(supervisor.pid("child"), flush=True)
time.sleep(60)
"""


def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """Nothing is left behind even when nobody had the chance to stop it."""
    command = [sys.executable, "-c", SUPERVISING, str(REPOSITORY), str(tmp_path / "ready")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervising:  # noqa: S603 -- the script above
        assert supervising.stdout is not None
        child = int(supervising.stdout.readline())
        assert alive(child)
        supervising.kill()
    assert eventually(lambda: not alive(child))
