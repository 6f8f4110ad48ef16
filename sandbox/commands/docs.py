"""Build the documentation site into site/; dead links, dead anchors and unlinked pages are errors.

    run.py docs
    run.py docs --serve
    run.py docs --write
    run.py docs --write --no-site

The generated parts of the pages are compared with the code first; with --write they are brought up to date.
"""

import argparse
import subprocess
import sys

from sandbox.repository import REPOSITORY


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--write", action="store_true", help="bring the generated parts of the pages up to date")
    parser.add_argument("--no-site", action="store_true", help="do not build the site")
    parser.add_argument(
        "--serve", action="store_true", help="serve the site on 127.0.0.1:8000, and reload it when a page changes"
    )


def main(options: argparse.Namespace) -> int:
    """0 when the pages are current and the site was built."""
    given = [f"--{name}" for name in ("write", "no-site", "serve") if getattr(options, name.replace("-", "_"))]
    command = [sys.executable, "-m", "sandbox.terminal.ending", "documentation", *given]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode  # noqa: S603 -- our own package
