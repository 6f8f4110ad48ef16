"""Exports as Delta tables: of Azure Synapse Link with a Spark pool, and of Fabric (OneLake).

    deltalake/account_partitioned/_delta_log   Synapse Link
    Tables/account/_delta_log                  a lakehouse; also below another folder, or the table's folder itself

Sources: "Export Dataverse data in Delta Lake format" and "Link to Microsoft Fabric" (learn.microsoft.com); no export of
a real environment was tried. A table that is not append-only has no deletions: its rows are deleted in it, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from integration.errors import ConfigurationError, Outage, Permanent
from integration.exports.changes import Change
from integration.exports.csv_folders import read_time
from integration.exports.files import Files

_PLACES: Final = ("{table}", "Tables/{table}", "deltalake/{table}_partitioned", "{table}_partitioned", "")
_SINK: Final = "sinkmodifiedon"


def delta_folder(files: Files, table: str) -> str | None:
    """The folder of a table below the place of an export; None where there is no Delta table of that name."""
    candidates = (it.format(table=table) for it in _PLACES)
    return next((it for it in candidates if files.names(f"{it}/_delta_log".lstrip("/"))), None)


class DeltaExport:
    """One table; `uri` and `options` are as the library `deltalake` takes them."""

    def __init__(self, uri: str, options: Mapping[str, str], place: str) -> None:
        self._uri, self._options, self._place = uri, dict(options), place

    def changes(self, table: str, since: datetime) -> Iterator[Change]:
        """See `Export`; only files that may have changes since then are read."""
        try:
            from deltalake import DeltaTable, QueryBuilder  # noqa: PLC0415 -- an extra, and slow to import
            from deltalake.exceptions import DeltaError  # noqa: PLC0415 -- as above
        except ImportError as error:
            raise ConfigurationError(
                "Delta tables are read with a library that is not installed: pip install '.[app,exports]'"
            ) from error
        try:
            found = DeltaTable(self._uri, storage_options=self._options or None)
            asked = _query({it.name.lower(): it for it in found.schema().fields}, table, since)
            batches: Iterable[Any] = QueryBuilder().register("exported", found).execute(asked)
            for batch in batches:
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield _change(row, self._place)
        except (DeltaError, OSError) as error:
            said = str(error).partition("\n")[0]
            raise Outage(f"{self._place} cannot be read: {said}", reason="export-unavailable") from error


def _query(fields: Mapping[str, Any], table: str, since: datetime) -> str:
    """Id, version, deletion and time as texts; raises `Permanent` for a table that has no id."""
    key = next((it for it in ("id", f"{table}id") if it in fields), None)
    if key is None:
        raise Permanent(f"the exported table {table} has no column Id", reason="export-unreadable")

    def text(name: str | None) -> str:
        return "null" if name is None else f"arrow_cast(\"{fields[name].name}\", 'Utf8')"

    version = "versionnumber" if "versionnumber" in fields else None
    deleted = "isdelete" if "isdelete" in fields else None
    times = [text(it) for it in ("modifiedon", _SINK) if it in fields]
    at = f"coalesce({', '.join(times)})" if times else "null"
    where = ""
    if _SINK in fields and "timestamp" in str(fields[_SINK].type):
        where = f" where \"{fields[_SINK].name}\" >= timestamp '{since.isoformat()}'"
    columns = f"{text(key)} as id, {text(version)} as version, {text(deleted)} as deleted, {at} as at"
    order = ", ".join(f'"{fields[it].name}"' for it in (_SINK, "isdelete") if it in fields)
    ordered = f" order by {order}" if order else ""
    return f"select {columns} from exported{where}{ordered}"  # noqa: S608 -- names are those of the table's own schema


def _change(row: tuple[str | None, ...], place: str) -> Change:
    row_id, version, deleted, at = row
    try:
        return Change(
            (row_id or "").strip("{}").lower(),
            int(version or 0),
            (deleted or "").lower() in {"true", "1"},
            read_time(at or ""),
        )
    except ValueError as error:
        raise Permanent(f"{place} has a row that cannot be read: {error}", reason="export-unreadable") from error
