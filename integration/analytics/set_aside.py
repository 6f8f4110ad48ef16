"""Where rows go that a sink will never take: a container of their own, one small file each.

`archive/date=2026-11-20/partition-3-00000000000000001234.json`: the sink, and the place of the row in the hub. A row
that is set aside again, because its batch came again, overwrites its own file. The metadata of the file has the reason,
so that a list says how many there are for which one.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from integration import blobs
from integration.analytics.blobs import container_of, reached, upload
from integration.analytics.row import Row
from integration.analytics.sink import Refused
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

REASON: Final = "set-aside-unavailable"
MOST_LISTED: Final = 5_000
"""So many rows of a sink are looked at, the oldest: what one request to Blob Storage lists."""
_ID: Final = re.compile(r"(\d{4}-\d\d-\d\d)-(partition-[0-9A-Za-z]{1,20}-\d{20})")
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """A row as a list has it: its id among those of its sink, why it is there, and since when (UTC)."""

    row_id: str
    reason: str
    since: datetime


class SetAside:
    """The rows that were set aside, in one container, which is created on first use.

    Its methods raise `Transient` if storage is unavailable.
    """

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return container_of(self._connect, reason=REASON)

    async def put(self, sink: str, refused: Sequence[Refused]) -> None:
        """Keep each row with its reason, and log it as an error."""
        for one in refused:
            name = blob_name(sink, one.row)
            await asyncio.to_thread(self._upload, name, document(sink, one), one.reason)
            _log.error(
                "sink-set-aside",
                sink=sink,
                event_id=one.row.event_id or "",
                reason=one.reason,
                partition=one.row.partition,
                sequence_number=one.row.sequence_number,
                size_bytes=len(one.row.body),
                blob=name,
            )

    async def sinks(self) -> Sequence[str]:
        """The sinks that have set rows aside."""
        return await asyncio.to_thread(lambda: list(self._folders()))

    async def listed(self, sink: str) -> tuple[Sequence[Listed], bool]:
        """The oldest rows of a sink in the order of the hub, `MOST_LISTED` at most, and whether there are more."""
        return await asyncio.to_thread(self._list, sink)

    async def read(self, sink: str, row_id: str) -> Refused | None:
        """The row of this id with its reason; None if it is not there."""
        return await asyncio.to_thread(self._read, sink, row_id)

    async def remove(self, sink: str, row_ids: Sequence[str]) -> None:
        """Forget rows; those that are not there are no failure."""
        await asyncio.to_thread(self._remove, sink, row_ids)

    def _upload(self, name: str, content: bytes, reason: str) -> None:
        kind = "application/json"
        upload(self._container, name, content, content_type=kind, reason=REASON, metadata={"reason": reason})

    def _folders(self) -> Iterator[str]:
        with reached(REASON):
            for folder in self._container.walk_blobs(delimiter="/"):
                yield str(folder.name).rstrip("/")

    def _list(self, sink: str) -> tuple[Sequence[Listed], bool]:
        with reached(REASON):
            listed = self._container.list_blobs(name_starts_with=f"{sink}/", include=["metadata"])
            found = [
                Listed(_row_id(blob.name), (blob.metadata or {}).get("reason", ""), blob.last_modified)
                for blob in islice(listed, MOST_LISTED + 1)
            ]
        return found[:MOST_LISTED], len(found) > MOST_LISTED

    def _read(self, sink: str, row_id: str) -> Refused | None:
        name = _name(sink, row_id)
        if name is None:
            return None
        with reached(REASON):
            file = blobs.read(self._container, name)
        return None if file is None else read_document(file)

    def _remove(self, sink: str, row_ids: Sequence[str]) -> None:
        for name in filter(None, (_name(sink, row_id) for row_id in row_ids)):
            with reached(REASON):
                blobs.remove(self._container, name)


def blob_name(sink: str, row: Row) -> str:
    """The name of the file of a row; names sort in the order of the hub."""
    return f"{sink}/date={row.enqueued_time:%Y-%m-%d}/partition-{row.partition}-{row.sequence_number:020d}.json"


def _row_id(name: str) -> str:
    """`2026-11-20-partition-3-00000000000000001234`: names a row of a sink in one segment of an address."""
    return name.partition("/date=")[2].removesuffix(".json").replace("/", "-", 1)


def _name(sink: str, row_id: str) -> str | None:
    """The name of the file with this id; None if there can be none."""
    found = _ID.fullmatch(row_id)
    return f"{sink}/date={found[1]}/{found[2]}.json" if found else None


def document(sink: str, refused: Refused) -> bytes:
    """The file of a row: where it stood, why it is here, and what it was; `body` is base64 where it is not UTF-8."""
    row = refused.row
    content: dict[str, Any] = {
        "sink": sink,
        "reason": refused.reason,
        "detail": refused.detail,
        **row.place,
        "enqueuedTime": row.enqueued_time.isoformat(),
    }
    try:
        content["body"] = row.body.decode()
    except UnicodeDecodeError:
        content["base64"] = base64.b64encode(row.body).decode()
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def read_document(file: bytes) -> Refused:
    """What `document` has written."""
    content: dict[str, Any] = json.loads(file)
    body = content["body"].encode() if "body" in content else base64.b64decode(content["base64"])
    enqueued = datetime.fromisoformat(content["enqueuedTime"])
    row = Row.read(content["partition"], content["sequenceNumber"], enqueued, body)
    return Refused(replace(row, was_set_aside=True), content["reason"], content["detail"])
