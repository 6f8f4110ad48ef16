#!/usr/bin/env python3
"""The project's commands. Needs Python 3.11 or newer and nothing else.

The first run makes a virtual environment in .venv and installs what the lock files name; later runs find it complete
and need no network. `python3 run.py` lists the commands.
"""

from __future__ import annotations  # so that older versions reach the check below

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
LOCKS = ("requirements-dev.txt", "requirements-host.txt")


def main() -> int:
    """Run the command that the command line names; its exit status."""
    if sys.version_info < OLDEST_PYTHON:
        print(f"This needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}.", file=sys.stderr)
        return 2
    from sandbox.terminal.ending import ended  # noqa: PLC0415 -- older versions cannot read it

    return ended(lambda: command(*(sys.argv[1:] or ["--help"])))


def command(name: str, *arguments: str) -> int:
    """Answer what needs no virtual environment, and run everything else in it."""
    from integration import __version__  # noqa: PLC0415 -- as above
    from sandbox.commands import catalogue  # noqa: PLC0415 -- as above

    if name in {"-h", "--help", "help", "--version"}:
        print(f"dataverse-integration {__version__}" if name == "--version" else catalogue.listing())
        return 0
    if catalogue.find(name) is None:
        print(catalogue.unknown(name), file=sys.stderr)
        return 2
    return prepare_and_run(name, list(arguments))


def prepare_and_run(name: str, arguments: list[str]) -> int:
    """Make the virtual environment if it is missing, then replace this process with the command in it."""
    environment = Environment(ROOT)
    if name == "doctor" and not environment.is_complete():
        # It runs without the environment, because it may find out why nothing can be installed.
        return run(Path(sys.executable), ["-m", "sandbox.doctor.machine"])
    try:
        environment.prepare()
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next run starts the installation again.", file=sys.stderr)
        return 130
    return run(environment.python, ["-m", "sandbox.commands", name, *arguments])


class InstallError(Exception):
    """The virtual environment could not be made; the message says why and what to do."""


class Environment:
    """The virtual environment of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / ".venv"
        self.python = self.directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._stamp = self.directory / "installed.json"

    def prepare(self) -> None:
        """Install what is missing; an environment that an interrupted run left incomplete is made again.

        Raises `InstallError`.
        """
        if self.is_complete():
            return
        from sandbox.machine import pip  # noqa: PLC0415 -- older versions cannot read it

        wanted, began = self.wanted(), time.monotonic()
        try:
            if self.installed().get("python") != wanted["python"] or not self.python.exists():
                print(f"Making {self.directory.name} with Python {wanted['python']} ...", flush=True)
                shutil.rmtree(self.directory, ignore_errors=True)
                subprocess.run([sys.executable, "-m", "venv", self.directory], check=True)
            self._stamp.unlink(missing_ok=True)
            print("Installing the locked requirements (once) ...", flush=True)
            # The locks are complete and say which library is for which Python; requirements-host.in explains the
            # exception.
            exactly = ["--require-hashes", "--no-deps", "--ignore-requires-python"]
            pip.install(self.python, [self.root / name for name in LOCKS], exactly)
        except (subprocess.CalledProcessError, pip.PipError) as error:
            raise InstallError(f"{error}\nTo find out what is wrong: {sys.executable} run.py doctor") from error
        self.mark_complete()
        print(f"Installed in {time.monotonic() - began:.0f} s.", flush=True)

    def is_complete(self) -> bool:
        """Whether the last installation was completed, with the same Python and the same requirements."""
        return self.python.exists() and self.installed() == self.wanted()

    def mark_complete(self) -> None:
        """Note what is installed."""
        self._stamp.write_text(json.dumps(self.wanted()), encoding="utf-8")

    def wanted(self) -> dict[str, str]:
        """The facts that decide whether an installation is current."""
        digest = hashlib.sha256()
        for name in LOCKS:
            digest.update((self.root / name).read_bytes())
        return {"python": platform.python_version(), "requirements": digest.hexdigest()}

    def installed(self) -> dict[str, str]:
        """What the last complete installation noted; empty if there was none."""
        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}


def run(python: Path, arguments: list[str]) -> int:
    """Replace this process with the command, so that signals and exit status are its own; on Windows, wait for it."""
    command = [str(python), *arguments]
    os.chdir(ROOT)
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(python, command)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
