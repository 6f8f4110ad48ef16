"""npm packages for tests: what a package-lock.json pins, installed once below .sandbox/tools."""

import hashlib
import os
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from sandbox.repository import REPOSITORY


def skip(reason: str) -> None:
    """Skips so that nobody overlooks it: the reason stands in the summary of warnings."""
    warnings.warn(f"SKIPPED: {reason}", stacklevel=2)
    pytest.skip(reason)


def installed(package: Path, name: str) -> Path:
    """The folder of the packages that `package`/package-lock.json pins; the first run needs the network for them."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        skip(f"{name} was not tested: Node.js with npm is not on PATH")
    files = [package / "package.json", package / "package-lock.json"]
    pin = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    home = REPOSITORY / ".sandbox" / "tools" / f"node-sdks-{pin}"
    if home.exists():
        return home
    unfinished = home.with_name(f"{home.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    for path in files:
        shutil.copy(path, unfinished)
    command = ["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"]
    answer = subprocess.run(  # noqa: S603 -- a fixed command
        command, cwd=unfinished, capture_output=True, text=True, timeout=300, check=False
    )
    if answer.returncode:
        shutil.rmtree(unfinished)
        skip(f"{name} was not tested: npm could not install it: {answer.stderr.strip()[-500:]}")
    try:
        unfinished.rename(home)
    except OSError:  # another process of the same run was first
        shutil.rmtree(unfinished)
    assert home.exists(), home
    return home


def run(script: Path, *arguments: object, environment: dict[str, str] | None = None) -> list[str]:
    """The words that a Node.js script prints; its failure is the test's."""
    answer = subprocess.run(  # noqa: S603 -- our own script
        [shutil.which("node") or "node", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | (environment or {}),
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout.split()
