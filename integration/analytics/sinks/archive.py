"""The archive sink: gzipped JSON Lines in Blob Storage, a file per batch, a folder per day.

`date=2026-11-20/partition-3-00000000000000001234-00000000000000001240.jsonl.gz`: the day is the enqueued day of the
batch's first event, the numbers are the sequence numbers of its first and its last event. A batch that is delivered
again overwrites its own file. If the events are divided into other batches the second time, readers drop duplicates by
(partition, sequenceNumber), which every line contains.
"""

import asyncio
import gzip
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from integration.analytics.blobs import container_of, upload
from integration.analytics.row import Row, encoded, span_of
from integration.analytics.sink import Receipt, unreadable
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_REASON: Final = "archive-unavailable"


class ArchiveSink:
    """Writes batches to one container, which is created on first use.

    A row that is no settled event is set aside as in every sink, and is in the file all the same, in the field
    `unreadable` if it is no JSON object: the archive has every sequence number of the hub.
    """

    name = "archive"

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return container_of(self._connect, reason=_REASON)

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """One file; if storage does not take it, all rows wait."""
        try:
            await asyncio.to_thread(self._upload, rows)
        except Transient as error:
            return Receipt(waiting=tuple(rows), error=error)
        return Receipt(unreadable(rows))

    def _upload(self, rows: Sequence[Row]) -> None:
        lines = b"".join(_line(row) + b"\n" for row in rows)
        name = f"{batch_name(rows)}.jsonl.gz"
        packed = gzip.compress(lines, mtime=0)
        upload(self._container, name, packed, content_type="application/gzip", reason=_REASON)


def batch_name(rows: Sequence[Row]) -> str:
    """The name of a batch, without an ending; names sort in the order of the hub."""
    return f"date={rows[0].enqueued_time:%Y-%m-%d}/{span_of(rows)}"


def _line(row: Row) -> bytes:
    content = {"unreadable": row.body.decode("utf-8", "replace")} if row.document is None else row.document
    return encoded({**content, **row.place})
