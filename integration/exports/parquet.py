"""Exports as plain Parquet: files without a Delta log, as a pipeline of Data Factory copies a table.

    account/initial/<run>/*.parquet       the pipelines of this repository (infra/modules/datafactory.bicep)
    account/daily/2026-11-26/*.parquet
    account.parquet                       one file; Files/account/... in a lakehouse of Fabric, or the table's folder

Synapse Link and Fabric write no Parquet without a Delta log; others' copies keep the names of columns that Dataverse
has. A folder that is named as a day, `2026-11-26` or `date=2026-11-26`, holds what was changed by the end of that day.
A copy sees no deletions. Source: "Copy and transform data in Dynamics 365 (Microsoft Dataverse)" (learn.microsoft.com);
no Data Factory was run.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import PurePath
from typing import Final

from integration.errors import ConfigurationError, Permanent
from integration.exports.changes import Change
from integration.exports.columns import query, read_change
from integration.exports.files import Files

_FOLDERS: Final = ("{table}", "Files/{table}")
_ENDS: Final = ".parquet"
_DAY: Final = re.compile(r"(?:\w+=)?(\d{4}-\d\d-\d\d)")
_AT_ONCE: Final = 10_000


def parquet_files(files: Files, table: str) -> list[str]:
    """The Parquet files of a table, in the order of their names; those that are being written are left out."""
    if PurePath(files.place).name.lower() == table.lower():
        found = files.names()
    else:
        found = [it for folder in _FOLDERS for it in files.names(folder.format(table=table))]
        found += [it for it in files.names() if it == f"{table}{_ENDS}"]
    return [it for it in found if it.endswith(_ENDS) and not _is_hidden(it)]


class ParquetExport:
    """One table in these files."""

    def __init__(self, files: Files, names: Sequence[str]) -> None:
        self._files = files
        self._names = names

    def changes(self, table: str, since: datetime) -> Iterator[Change]:
        """See `Export`; folders of earlier days are not read."""
        for name in self._names:
            if _ended(name, since):
                continue
            yield from self._file(name, table, since)

    def _file(self, name: str, table: str, since: datetime) -> Iterator[Change]:
        try:
            import duckdb  # noqa: PLC0415 -- an extra, and slow to import
        except ImportError as error:
            raise ConfigurationError(
                "Parquet is read with a library that is not installed: pip install '.[app,exports]'"
            ) from error
        place = f"{self._files.place}/{name}"
        with self._files.local(name) as path, duckdb.connect() as connection:
            try:
                connection.execute("SET TimeZone = 'UTC'")
                connection.from_parquet(str(path)).create_view("exported")
                columns = connection.view("exported")
                types = dict(zip(columns.columns, map(str, columns.types), strict=True))
                connection.execute(query(types, table, since, "exported"))
                while rows := connection.fetchmany(_AT_ONCE):
                    for row in rows:
                        yield read_change(row, place)
            except duckdb.Error as error:
                said = str(error).partition("\n")[0]
                raise Permanent(f"{place} cannot be read: {said}", reason="export-unreadable") from error


def _is_hidden(name: str) -> bool:
    """What Spark and Hadoop leave out: files of a write that has not ended."""
    return any(part.startswith(("_", ".")) for part in name.split("/"))


def _ended(name: str, since: datetime) -> bool:
    """Whether the file is in the folder of a day that ended before then."""
    days = [found[1] for part in name.split("/")[:-1] if (found := _DAY.fullmatch(part))]
    ends = [datetime.combine(datetime.fromisoformat(it).date(), time(), UTC) + timedelta(days=1) for it in days]
    return any(it <= since for it in ends)
