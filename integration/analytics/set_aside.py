"""Where rows go that a sink will never take: a container of their own, one small file each.

`archive/date=2026-11-20/partition-3-00000000000000001234.json`: the sink, and the place of the row in the hub. A row
that is set aside again, because its batch came again, overwrites its own file.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from integration.analytics.blobs import container_of, upload
from integration.analytics.row import Row
from integration.analytics.sink import Refused
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

REASON: Final = "set-aside-unavailable"
_log = get_logger(__name__)


class SetAside:
    """The rows that were set aside, in one container, which is created on first use."""

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        self._connect = connect

    @cached_property
    def _container(self) -> "ContainerClient":
        return container_of(self._connect, reason=REASON)

    async def put(self, sink: str, refused: Sequence[Refused]) -> None:
        """Keep each row with its reason, and log it as an error. Raises `Transient` if storage is unavailable."""
        for one in refused:
            name = blob_name(sink, one.row)
            await asyncio.to_thread(self._upload, name, document(sink, one))
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

    def _upload(self, name: str, content: bytes) -> None:
        upload(self._container, name, content, content_type="application/json", reason=REASON)


def blob_name(sink: str, row: Row) -> str:
    """The name of the file of a row; names sort in the order of the hub."""
    return f"{sink}/date={row.enqueued_time:%Y-%m-%d}/partition-{row.partition}-{row.sequence_number:020d}.json"


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
