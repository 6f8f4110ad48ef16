"""Whether the sandbox can run on this machine. Standard library only: run.py calls it before anything is installed."""

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from sandbox.azure import azurite, npm
from sandbox.doctor.finding import Finding, note, ok, wrong
from sandbox.machine.ports import Ports, is_taken, option_of
from sandbox.repository import REPOSITORY, TOOLS
from sandbox.running.state import StateDirectory
from sandbox.terminal.words import PYTHON, listed, place, wrapped

_OLDEST_PYTHON = (3, 11)
_NEEDED_BYTES = 2_000_000_000
"""The virtual environment and Azurite take about 1 GB, and pip temporarily as much again."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def findings(state: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """All checks of this machine; `state` is the sandbox's state directory."""
    yield _python()
    yield _pip()
    yield _environment()
    yield _node()
    yield _disk()
    yield _localhost()
    yield from _proxy(environ)
    running = StateDirectory(state).in_use()
    yield _sandbox(StateDirectory(state), running=running)
    if not running:
        yield _ports()


def _python() -> Finding:
    seen = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < _OLDEST_PYTHON:
        return wrong("Python", seen, "Install Python 3.11 or newer and call run.py with it.")
    return ok("Python", seen)


def _pip() -> Finding:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        return wrong(
            "virtual environments",
            f"this Python has no {listed(missing)}",
            "Debian and Ubuntu: apt-get install python3-venv. Elsewhere: install Python from python.org.",
        )
    return ok("virtual environments", "can be made")


def _environment() -> Finding:
    python = REPOSITORY / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        return note("installation", "there is no .venv yet", f"The next command makes it: {PYTHON} run.py demo")
    answer = subprocess.run(  # noqa: S603 -- our own environment
        [python, "-m", "pip", "check", "--disable-pip-version-check"], capture_output=True, text=True, check=False
    )
    # azure-functions-runtime asks for a newer Python than it needs, and is installed all the same.
    lines = [line for line in answer.stdout.splitlines() if answer.returncode and "azure-functions-runtime" not in line]
    if lines:
        return wrong("installation", "; ".join(lines), "Remove the folder .venv; the next command makes it again.")
    return ok("installation", place(python.parents[1]))


def _node() -> Finding:
    if azurite.is_installed(TOOLS):
        return ok("Azurite", place(TOOLS))
    if npm.node_on_path():
        return note("Azurite", "not installed yet", "The first start installs it from the npm registry.")
    return note(
        "Azurite", "not installed yet, and no Node.js on PATH", "The first start installs both, from PyPI and from npm."
    )


def _disk() -> Finding:
    free = shutil.disk_usage(REPOSITORY).free
    seen = f"{free / 1e9:.1f} GB free"
    if free < _NEEDED_BYTES and not (REPOSITORY / ".venv").exists():
        return wrong("disk", seen, f"About {_NEEDED_BYTES / 1e9:.0f} GB are needed for the installation.")
    return ok("disk", seen)


def _localhost() -> Finding:
    try:
        addresses = {str(it[4][0]) for it in socket.getaddrinfo("localhost", 0, socket.AF_INET)}
    except socket.gaierror:
        addresses = set()
    if "127.0.0.1" not in addresses:
        return wrong("localhost", "does not lead to 127.0.0.1", 'Add the line "127.0.0.1 localhost" to the hosts file.')
    return ok("localhost", "leads to 127.0.0.1")


def _proxy(environ: Mapping[str, str]) -> Iterator[Finding]:
    given = [name for name in _PROXIES if environ.get(name) or environ.get(name.lower())]
    direct = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    if not given:
        return
    missing = [name for name in ("127.0.0.1", "localhost") if name not in (it.strip() for it in direct)]
    if missing and "*" not in direct:
        yield wrong(
            "proxy",
            f"{listed(given)} would also be used for calls to {listed(missing)}",
            f"Set NO_PROXY={','.join([*filter(None, direct), *missing])}",
        )
    else:
        yield ok("proxy", f"{listed(given)}; calls on this machine do not use it")


def _sandbox(state: StateDirectory, *, running: bool) -> Finding:
    where = place(state.root)
    if running and not state.endpoints.exists():
        return note("sandbox", f"one is starting on {where}, or stopping")
    if running:
        return ok("sandbox", f"one runs on {where}")
    if state.endpoints.exists():
        return note(
            "sandbox",
            f"{place(state.endpoints)} was left by a sandbox that was killed",
            "Nothing needs to be done: the next start removes it.",
        )
    return ok("sandbox", "none runs")


def _ports() -> Finding:
    usual = Ports()
    taken = [each for each in fields(Ports) if is_taken(getattr(usual, each.name))]
    if not taken:
        return ok("ports", "all are free")
    names = listed([f"{each.default} ({each.metadata['meaning']})" for each in taken])
    options = " ".join(f"{option_of(each.name)} PORT" for each in taken)
    return wrong(
        "ports", f"something else listens on {names}", f"Stop it, or start with {options}, or with --free-ports."
    )


def main() -> int:
    """Print the findings in plain lines, because nothing is installed to print better ones; 1 if something is wrong."""
    status = 0
    for finding in findings(REPOSITORY / ".sandbox"):
        status = 1 if finding.state == "wrong" else status
        head = f"{finding.state:<6} "
        for line in wrapped(f"{finding.what}: {finding.seen}", 72):
            print(head + line)
            head = " " * len(head)
        for line in wrapped(finding.remedy, 72) if finding.remedy else ():
            print(head + line)
    return status


if __name__ == "__main__":
    sys.exit(main())
