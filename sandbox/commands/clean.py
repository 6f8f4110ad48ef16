"""Delete the sandbox's state: rows, queues, the ERP's books, the archive, keys and logs.

This is refused while a sandbox runs.

Tools that are installed once (Azurite) are kept unless --all is given.
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
        "--all", action="store_true", help="also delete what is installed once; the next start then needs the network"
    )
    add_state_option(parser)


def main(options: argparse.Namespace) -> int:
    """0 if nothing remains."""
    screen, directory = Screen(), StateDirectory(options.state)
    if not directory.root.exists():
        screen.say(f"There is no {place(directory.root)}, so there is nothing to delete.")
        return 0
    try:
        directory.open()
    except StateInUseError:
        raise CommandError(
            f"A sandbox is running on {place(directory.root)}. Stop it first (Ctrl-C in its terminal)."
        ) from None
    try:
        freed = sum(map(_size, (directory.data, directory.logs)))
        directory.remove()
    finally:
        directory.close()
    for kind in ("demo", "bench", "mutate", "chaos"):
        forget_abandoned(directory.root, kind)
    if options.all and TOOLS.exists():
        freed += _size(TOOLS)
        shutil.rmtree(TOOLS)
    screen.say(f"The state in {place(directory.root)} is deleted, which frees {freed / 1_000_000:.1f} MB.")
    return 0


def _size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
