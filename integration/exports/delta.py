"""Exports as Delta tables: of Azure Synapse Link with a Spark pool, and of Fabric (OneLake).

    deltalake/account_partitioned/_delta_log   Synapse Link
    Tables/account/_delta_log                  a lakehouse; also below another folder, or the table's folder itself

Sources: "Export Dataverse data in Delta Lake format" and "Link to Microsoft Fabric" (learn.microsoft.com); no export of
a real environment was tried. A table that is not append-only has no deletions: its rows are deleted in it, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from integration.errors import ConfigurationError, Outage
from integration.exports.changes import Change
from integration.exports.columns import query, read_change
from integration.exports.files import Files

_PLACES: Final = (
    "{table}",
    "Tables/{table}",
    "deltalake/{table}_partitioned",
    "deltalake/{table}",
    "{table}_partitioned",
    "",
)


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
            asked = query({it.name: str(it.type) for it in found.schema().fields}, table, since, "exported")
            batches: Iterable[Any] = QueryBuilder().register("exported", found).execute(asked)
            for batch in batches:
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield read_change(row, self._place)
        except (DeltaError, OSError) as error:
            said = str(error).partition("\n")[0]
            raise Outage(f"{self._place} cannot be read: {said}", reason="export-unavailable") from error
