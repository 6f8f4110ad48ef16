"""Python environments for what this app is compared with: the comparators, and an older version of the app."""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from sandbox.repository import REPOSITORY

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
_DEPENDENCIES = ("requirements.txt", "requirements-dev.txt")


class EnvironmentFailedError(Exception):
    """An environment could not be made; the message has the end of the installer's output and what to do."""


def comparators(tools: Path, say: Callable[[str], None]) -> Path:
    """The Python that runs the comparators; installs what they need below `tools` on first use, which needs PyPI."""
    pin = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = tools / f"comparators-{pin}"
    python, complete = home / "bin" / "python", home / "complete"
    if not complete.exists():
        say("Installing what the comparators need (once) ...")
        shutil.rmtree(home, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(home)], "The environment of the comparators could not be made")
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        _run([*pip, f"--requirement={REQUIREMENTS}"], "pip could not install what the comparators need")
        complete.touch()
    return python


def checked_out(commit: str, tools: Path) -> Path:
    """The folder with the files of a commit of this repository, below `tools`; written there on first use."""
    home = tools / f"app-{commit}"
    if not home.exists():
        command = ["git", "-C", str(REPOSITORY), "archive", "--format=tar", commit]
        answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 -- fixed command
        if answer.returncode:
            raise EnvironmentFailedError(
                f"This clone does not have the commit {commit}, with which the app is compared: "
                f"git says {answer.stderr.decode().strip()!r}. Try: git fetch --unshallow"
            )
        unfinished = home.with_name(home.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as files:
            files.extractall(unfinished, filter="data")
        unfinished.rename(home)
    return home


def python_of(app: Path, say: Callable[[str], None]) -> Path:
    """The Python that runs this version of the app: our own if it needs the same packages, else one of its own.

    That version's run.py makes it, as it does before every command.
    """
    if all(_content(app / name) in {None, _content(REPOSITORY / name)} for name in _DEPENDENCIES):
        return Path(sys.executable)
    python = app / ".venv" / "bin" / "python"
    if not python.exists():
        say(f"Installing what {app.name} needs (once) ...")
    _run([sys.executable, str(app / "run.py"), "bench", "--help"], f"{app}/run.py could not make its environment")
    return python


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _run(command: list[str], failure: str) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- fixed commands
    if answer.returncode:
        words = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-20:])
        raise EnvironmentFailedError(f"{failure} (exit status {answer.returncode}):\n{words}")
