"""The Fabric sink: settled events to a custom endpoint of an Eventstream in Microsoft Fabric.

A custom endpoint speaks the protocol of Event Hubs (learn.microsoft.com, "Add a custom endpoint or custom app source
to an eventstream"), so that this sink sends to any other event hub as well. It is reached by its connection string, or
with an identity that is a member of the workspace. Events keep their order: all of one partition here go to one
partition there. One that is sent again is there twice; readers drop duplicates by (partition, sequenceNumber), which
each has.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from integration.analytics.portions import ContentRefused, Portions
from integration.analytics.row import Row, encoded
from integration.analytics.sink import Receipt
from integration.errors import Outage

if TYPE_CHECKING:
    from azure.eventhub import EventDataBatch, EventHubProducerClient

SERVICE: Final = "fabric"
MOST_BYTES: Final = 1_000_000
"""Of one batch, if the endpoint takes that much; it says itself what it takes."""
_OVERHEAD_BYTES: Final = 128
"""What AMQP adds to each event: headers, properties, lengths."""


class FabricSink:
    """Sends batches to one hub. One client; a batch of another partition waits while one is sent."""

    name = SERVICE

    def __init__(self, connect: "Callable[[], EventHubProducerClient]", *, most_bytes: int = MOST_BYTES) -> None:
        self._connect = connect
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._client: EventHubProducerClient | None = None
        self._partitions: list[str] = []
        self._limit = 0

    async def write(self, rows: Sequence[Row]) -> Receipt:
        """Send the rows in batches that the endpoint takes."""
        partition = int(rows[0].partition)
        try:
            await asyncio.to_thread(self._open, partition)
        except Outage as error:
            return Receipt(waiting=tuple(rows), error=error)
        return await Portions(_event, partial(self._post, partition), self._limit, _OVERHEAD_BYTES).write(rows)

    async def _post(self, partition: int, events: Sequence[bytes]) -> None:
        await asyncio.to_thread(self._send, partition, events)

    def _open(self, partition: int) -> None:
        with self._lock, self._connected() as client:
            self._limit = min(self._most_bytes, self._batch(client, partition).max_size_in_bytes)

    def _send(self, partition: int, events: Sequence[bytes]) -> None:
        with self._lock, self._connected() as client:
            batch = self._batch(client, partition)
            _fill(batch, events)
            client.send_batch(batch)

    def _batch(self, client: "EventHubProducerClient", partition: int) -> "EventDataBatch":
        """An empty batch; its size is what the link to the partition takes."""
        return client.create_batch(partition_id=self._partitions[partition % len(self._partitions)])

    @contextmanager
    def _connected(self) -> "Iterator[EventHubProducerClient]":
        """The client; whatever goes wrong with it, the next one is a new one."""
        try:
            if self._client is None:
                self._client = self._connect()
                self._partitions = sorted(self._client.get_partition_ids(), key=int)
            yield self._client
        except ContentRefused:
            raise
        except Exception as error:
            self._disconnect()
            raise _unavailable(error) from error

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # the connection is broken already
                client.close()


def _fill(batch: "EventDataBatch", events: Sequence[bytes]) -> None:
    from azure.eventhub import EventData  # noqa: PLC0415 -- slow to import, and the intake has no use for it

    for event in events:
        data = EventData(event)
        data.content_type = "application/json"
        try:
            batch.add(data)
        except ValueError as error:  # the batch is full: azure.eventhub has no more specific error for that
            raise ContentRefused("The events do not fit into one batch.") from error


def _event(row: Row) -> bytes:
    return encoded({**(row.document or {}), **row.place})


def _unavailable(error: Exception) -> Outage:
    return Outage(
        f"Fabric did not take the events ({type(error).__name__}); they are sent again later",
        reason="fabric-unavailable",
        service=SERVICE,
    )
