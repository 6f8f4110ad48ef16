"""The lake sink: Parquet in Blob Storage, in folders by day and table.

`date=2026-11-20/table=account/partition-3-00000000000000001234-00000000000000001240.parquet`: the enqueued day and the
table of its rows, and the sequence numbers of the first and the last of them. A batch that is delivered again
overwrites its own files. If the events are divided into other batches the second time, readers drop duplicates by
(HubPartition, SequenceNumber). Every file has the same schema (columns.py); what is JSON there is text here.

Parquet is written with arro3 (33 MB installed; pyarrow has 171 MB), which only a package made with `--lake` has.
"""

import asyncio
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from arro3.core import Array, DataType, Field, RecordBatch, Schema
from arro3.io import write_parquet

from integration.analytics.blobs import container_of, upload
from integration.analytics.columns import SCHEMA, Kind, table_row
from integration.analytics.row import Row, span_of
from integration.analytics.sink import Receipt, unreadable
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_REASON: Final = "lake-unavailable"
_CONTENT_TYPE: Final = "application/vnd.apache.parquet"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TEXT: Final = DataType.utf8()
_WHOLE: Final = DataType.int64()
_TIME: Final = DataType.timestamp("us", tz="UTC")
_TYPES: Final[Mapping[Kind, DataType]] = {"string": _TEXT, "long": _WHOLE, "datetime": _TIME, "dynamic": _TEXT}
_FIELDS: Final = Schema([Field(it.name, _TYPES[it.kind], nullable=True) for it in SCHEMA])


class LakeSink:
    """Writes batches to one container, which is created on first use: a file for each day and table."""

    name = "lake"

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return container_of(self._connect, reason=_REASON)

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """File by file; the rows of those that storage does not take wait."""
        refused = unreadable(rows)
        waiting = _by_folder(rows)
        try:
            for folder in list(waiting):
                await asyncio.to_thread(self._upload, folder, waiting[folder])
                del waiting[folder]
        except Transient as error:
            left = [row for group in waiting.values() for row in group]
            return Receipt(refused, waiting=tuple(sorted(left, key=lambda it: it.sequence_number)), error=error)
        return Receipt(refused)

    def _upload(self, folder: str, rows: Sequence[Row]) -> None:
        name = f"{folder}/{span_of(rows)}.parquet"
        upload(self._container, name, parquet(rows), content_type=_CONTENT_TYPE, reason=_REASON)


def parquet(rows: Sequence[Row]) -> bytes:
    """Settled events as a file; the same rows give the same bytes."""
    values = [table_row(row) for row in rows]
    columns = [_column(it.kind, [row[it.name] for row in values]) for it in SCHEMA]
    file = io.BytesIO()
    write_parquet(RecordBatch.from_arrays(columns, schema=_FIELDS), file, compression="snappy")
    return file.getvalue()


def _by_folder(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.is_settled:
            table = (row.document or {})["data"].get("table")
            name = quote(table, safe="") if isinstance(table, str) and table else "none"
            found.setdefault(f"date={row.enqueued_time:%Y-%m-%d}/table={name}", []).append(row)
    return found


def _column(kind: Kind, values: Sequence[Any]) -> Array:
    if kind == "datetime":
        return Array([None if it is None else _microseconds(it) for it in values], type=_WHOLE).cast(_TIME)
    if kind == "dynamic":
        return Array([None if it is None else json.dumps(it) for it in values], type=_TEXT)
    if kind == "string":  # a half of a surrogate pair, which JSON can have, is no UTF-8
        return Array([None if it is None else it.encode("utf-8", "replace").decode() for it in values], type=_TEXT)
    return Array(values, type=_TYPES[kind])


def _microseconds(time: str) -> int:
    return (datetime.fromisoformat(time) - _EPOCH) // _MICROSECOND
