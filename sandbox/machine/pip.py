"""Installs with pip and shows the progress. Standard library only: nothing else is installed yet."""

import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.terminal.progress import Progress

_PIN = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*==", re.MULTILINE)
_COLLECTING = re.compile(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9][\w.-]*)")
_IGNORING = re.compile(r"Ignoring ([A-Za-z0-9][\w.-]*): markers ")
"""Matches a package that is pinned for other systems only."""
_FETCHING = re.compile(r"\s+(?:Downloading|Using cached) ([A-Za-z0-9][\w.]*)-")
_UNPACKING = re.compile(r"Installing collected packages: (.*)")
_LAST_LINES = 20
_LOOK_SECONDS = 0.5


class PipError(Exception):
    """pip has failed; the message has the end of its output."""


class Fetching:
    """How many packages pip has fetched, and of how many, from its output.

    The total is at first the number of pins; it grows with packages that those need and that are not pinned.
    """

    def __init__(self, pins: Iterable[str]) -> None:
        self._wanted = {normalised(name) for name in pins}
        self._fetched: set[str] = set()
        self.unpacking: list[str] = []
        """The packages that pip is about to unpack; empty until it has fetched them all."""

    def read(self, line: str) -> str:
        """Read a line of pip's output; returns the package that it is about, or empty text."""
        if found := _COLLECTING.match(line):
            self._wanted.add(normalised(found[1]))
            return found[1]
        if found := _IGNORING.match(line):
            self._wanted.discard(normalised(found[1]))
        if found := _FETCHING.match(line):
            self._fetched.add(normalised(found[1]))
            return found[1]
        if found := _UNPACKING.match(line):
            self.unpacking = found[1].split(", ")
        return ""

    @property
    def done(self) -> int:
        """Packages fetched."""
        return len(self._fetched)

    @property
    def total(self) -> int:
        """Packages known to be needed."""
        return max(len(self._wanted), self.done)


def install(python: Path, requirements: Sequence[Path], more: Sequence[str] = ()) -> None:
    """Install requirement files; `more` are further arguments of pip, options or packages. Raises `PipError`."""
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command = [*pip, *more, *(f"--requirement={file}" for file in requirements)]
    pins = [found[1] for file in requirements for found in _PIN.finditer(file.read_text(encoding="utf-8"))]
    fetching = Fetching(pins)
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603 -- pip
        output = iter(process.stdout or ())
        with Progress("Fetching", estimated=False) as progress:
            for line in output:
                lines.append(line)
                if package := fetching.read(line):
                    progress.show(fetching.done, package, total=fetching.total)
                if fetching.unpacking:
                    break
        if fetching.unpacking:
            _show_unpacking(process, fetching.unpacking, python)
        lines += output
    if process.returncode:
        words = "".join(lines[-_LAST_LINES:]).strip()
        raise PipError(f"pip has failed with status {process.returncode}:\n{words}")


def _show_unpacking(process: "subprocess.Popen[str]", names: Sequence[str], python: Path) -> None:
    """Count the packages that have appeared in the environment, because pip prints nothing while it unpacks."""
    wanted = {normalised(name) for name in names}
    with Progress("Unpacking", len(wanted)) as progress:
        while process.poll() is None:
            infos = python.parents[1].glob("[Ll]ib/**/site-packages/*.dist-info")
            progress.show(len(wanted & {normalised(info.name.partition("-")[0]) for info in infos}))
            time.sleep(_LOOK_SECONDS)


def normalised(name: str) -> str:
    """A package's name in the one form that all its spellings share (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
