"""Forget the sandbox's state: rows, queues, the ERP's books, the archive, keys and logs. Refused while a sandbox runs.

The tools that are installed once (Azurite) stay, unless --all is given.
"""

import argparse
import shutil
from pathlib import Path

from sandbox.commands.here import CommandError, add_state_option
from sandbox.repository import TOOLS
from sandbox.running.state import StateDirectory, StateInUseError, forget_abandoned
from sandbox.terminal.screen import Screen
from sandbox.terminal.words import place


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--all", action="store_true", help="also what is installed once; the next start needs the network"
    )
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 when nothing is left."""
    screen, directory = Screen(), StateDirectory(options.state)
    if not directory.root.exists():
        screen.say(f"There is no {place(directory.root)}: nothing to forget.")
        return 0
    try:
        directory.open()
    except StateInUseError:
        raise CommandError(
            f"A sandbox runs on {place(directory.root)}. Stop it first (Ctrl-C in its terminal)."
        ) from None
    try:
        freed = sum(map(_size, (directory.data, directory.logs)))
        directory.remove()
    finally:
        directory.close()
    for kind in ("demo", "bench"):
        forget_abandoned(directory.root, kind)
    if options.all and TOOLS.exists():
        freed += _size(TOOLS)
        shutil.rmtree(TOOLS)
    screen.say(f"The state in {place(directory.root)} is forgotten; {freed / 1_000_000:.1f} MB are free again.")
    return 0


def _size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
