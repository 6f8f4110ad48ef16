"""The lake sink: Parquet in Blob Storage, in folders by day and table.

`date=2026-11-20/table=account/partition-3-00000000000000001234-00000000000000001240.parquet`: the enqueued day and the
table of its rows, and the sequence numbers of the first and the last of them. A batch that is delivered again
overwrites its own files. If the events are divided into other batches the second time, readers drop duplicates by
(HubPartition, SequenceNumber). Every file has the same schema (columns.py); what is JSON there is text here.
"""

import asyncio
import io
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from arro3.io import write_parquet

from integration.analytics.arrow import record_batch
from integration.analytics.blobs import container_of, upload
from integration.analytics.columns import table_row
from integration.analytics.row import Row, span_of
from integration.analytics.sink import Receipt, unreadable
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_REASON: Final = "lake-unavailable"
_CONTENT_TYPE: Final = "application/vnd.apache.parquet"


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
    file = io.BytesIO()
    write_parquet(record_batch([table_row(row) for row in rows]), file, compression="snappy")
    return file.getvalue()


def _by_folder(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.is_settled:
            table = (row.document or {})["data"].get("table")
            name = quote(table, safe="") if isinstance(table, str) and table else "none"
            found.setdefault(f"date={row.enqueued_time:%Y-%m-%d}/table={name}", []).append(row)
    return found
