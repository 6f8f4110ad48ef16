"""The archive sink: gzipped JSON Lines in Blob Storage, a file per batch, a folder per day.

`date=2026-11-20/partition-3-00000000000000001234.jsonl.gz`: the day and the number are the enqueued day and the
sequence number of the batch's first event. A batch that is delivered again overwrites its own file. If the events are
divided into other batches the second time, readers drop duplicates by (partition, sequenceNumber), which every line
contains.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ResourceExistsError

from integration.clock import Clock, SystemClock
from integration.errors import Transient
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HubEvent:
    """One event as the hub delivered it; `enqueued_time` in UTC."""

    partition: str
    sequence_number: int
    enqueued_time: datetime
    body: bytes


class ArchiveSink:
    """Writes batches to one container, which is created on first use."""

    def __init__(self, connect: "Callable[[], ContainerClient]", clock: Clock | None = None) -> None:
        self._connect = connect
        self._clock = clock or SystemClock()

    @cached_property
    def _container(self) -> "ContainerClient":
        container = self._connect()
        with suppress(ResourceExistsError):
            container.create_container()
        return container

    def write(self, events: Sequence[HubEvent]) -> str:
        """Write one batch of one partition; returns the blob's name. Raises `Transient` if storage is unavailable.

        An event that is not JSON is kept unchanged in the field `unreadable`, so that the sink loses nothing.
        """
        from azure.storage.blob import ContentSettings  # noqa: PLC0415 -- slow to import, and the intake has no use for it

        first = events[0]
        name = f"date={first.enqueued_time:%Y-%m-%d}/partition-{first.partition}-{first.sequence_number:020d}.jsonl.gz"
        lines = b"".join(json.dumps(_line(event), separators=(",", ":")).encode() + b"\n" for event in events)
        try:
            self._container.upload_blob(
                name,
                gzip.compress(lines, mtime=0),
                overwrite=True,
                content_settings=ContentSettings(content_type="application/gzip"),
            )
        except AzureError as error:
            raise Transient(f"archive: {type(error).__name__}", reason="archive-unavailable") from error
        waited = (self._clock.now() - first.enqueued_time).total_seconds() * 1000
        _log.info(
            "archived",
            count=len(events),
            partition=first.partition,
            sequence_number=first.sequence_number,
            duration_ms=waited,
        )
        return name


def _line(event: HubEvent) -> dict[str, Any]:
    place = {"partition": event.partition, "sequenceNumber": event.sequence_number}
    try:
        content = json.loads(event.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return {**place, "unreadable": event.body.decode("utf-8", "replace")}
    return {**content, **place}
