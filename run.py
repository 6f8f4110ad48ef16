#!/usr/bin/env python3
"""The project's commands. Needs Python 3.11 or newer and nothing else.

The first run makes a virtual environment in .venv and installs what the lock files name; later runs find it complete
and need no network.
"""

from __future__ import annotations  # for older versions to come as far as being told

import argparse
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

COMMANDS = {
    "demo": "show each event's way through a sandbox of its own, and check the outcome",
    "up": "keep the sandbox up for development; --fresh forgets its state, --help lists its ports",
    "test": "check format, types and imports, then run the tests (arguments go to pytest, which then runs alone)",
    "bench": "measure events per second, latencies, and CPU by part; --quick is a short form",
    "chaos": "run the long tests (arguments go to pytest)",
    "lint": "check format, types and imports only",
    "lock": "renew the lock files from requirements*.in (needs the network); --upgrade takes newer libraries",
}


def main() -> int:
    """Prepare the virtual environment and run the command in it."""
    if sys.version_info < OLDEST_PYTHON:
        print(f"This needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}.", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        prog="run.py",
        description=__doc__,
        epilog="commands:\n" + "\n".join(f"  {name:6} {meaning}" for name, meaning in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the command's own; COMMAND --help tells them")
    given = parser.parse_args()
    environment = Environment(ROOT)
    try:
        environment.prepare()
    except subprocess.CalledProcessError as error:
        print(f"\nThis failed with status {error.returncode}: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the next run begins the installation anew.", file=sys.stderr)
        return 130
    return run(environment.python, ["-m", f"sandbox.commands.{given.command}", *given.arguments])


class Environment:
    """The virtual environment of the repository at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.directory = root / ".venv"
        self.python = self.directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self._stamp = self.directory / "installed.json"

    def prepare(self) -> None:
        """Install what is not; what an interrupted run left half made is made anew."""
        if self.is_complete():
            return
        began = time.monotonic()
        wanted = self.wanted()
        if self.installed().get("python") != wanted["python"] or not self.python.exists():
            say(f"Making {self.directory.name} with Python {wanted['python']} ...")
            shutil.rmtree(self.directory, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", self.directory], check=True)
        self._stamp.unlink(missing_ok=True)
        say("Installing the locked requirements (once) ...")
        pip = [str(self.python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
        # The locks are complete and say which library is for which Python; requirements-host.in tells the exception.
        exactly = ["--require-hashes", "--no-deps", "--ignore-requires-python"]
        subprocess.run([*pip, *exactly, *(f"--requirement={self.root / name}" for name in LOCKS)], check=True)
        self.mark_complete()
        say(f"Installed in {time.monotonic() - began:.0f} s.")

    def is_complete(self) -> bool:
        """Whether the last installation came to its end, with the same Python and the same requirements."""
        return self.python.exists() and self.installed() == self.wanted()

    def mark_complete(self) -> None:
        """Write down what is installed."""
        self._stamp.write_text(json.dumps(self.wanted()), encoding="utf-8")

    def wanted(self) -> dict[str, str]:
        """What decides whether an installation is current."""
        digest = hashlib.sha256()
        for name in LOCKS:
            digest.update((self.root / name).read_bytes())
        return {"python": platform.python_version(), "requirements": digest.hexdigest()}

    def installed(self) -> dict[str, str]:
        """What the last complete installation wrote down; empty when there was none."""
        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}


def run(python: Path, arguments: list[str]) -> int:
    """Become the command, so that it gets the signals and its exit status is ours; Windows can only wait for it."""
    command = [str(python), *arguments]
    os.chdir(ROOT)
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(python, command)
    return subprocess.run(command, check=False).returncode


def say(line: str) -> None:
    """A line of progress."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
