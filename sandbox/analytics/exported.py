"""The rows of Dataverse as they stand in an export; the readers of the app read it (`integration.cli.exported`).

They stay in charge of what the last change of a row is; here are only the lines that they write.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox.repository import REPOSITORY

_UNKNOWN_TABLE: Final = 3


class ExportError(Exception):
    """The export cannot be read; says why."""


class UnknownTableError(ExportError):
    """The export does not have the table."""


def write_rows(place: str, table: str, path: Path) -> None:
    """Write the rows of a table to a file of JSON Lines. Raises `ExportError`, `UnknownTableError`."""
    command = [sys.executable, "-m", "integration.cli.exported", place, table]
    with path.open("wb") as file:
        ended = subprocess.run(command, cwd=REPOSITORY, stdout=file, stderr=subprocess.PIPE, check=False)  # noqa: S603 -- ours
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "the reader of exports has ended"
        raise (UnknownTableError if ended.returncode == _UNKNOWN_TABLE else ExportError)(said)
