"""Write the custom connector for Power Automate and Logic Apps: its definition, its properties, its icon.

    run.py connector --host integration.contoso.com
    run.py connector --host integration.contoso.com --out connector

`paconn create` or the Power Platform's own pages take the three files (docs/how-to/power-automate.md).
"""

import argparse
import subprocess
import sys
from pathlib import Path

from sandbox.repository import REPOSITORY


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--host", required=True, help="the host name under which flows reach the app")
    parser.add_argument("--out", type=Path, default=Path("connector"), metavar="FOLDER", help="where (connector)")


def main(options: argparse.Namespace) -> int:
    """0 when the files are written."""
    given = ["--host", options.host, "--out", str(options.out.absolute())]
    command = [sys.executable, "-m", "sandbox.terminal.ending", "documentation.connector", *given]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode  # noqa: S603 -- our own package
