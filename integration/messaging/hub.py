"""The event hub for settled events; a record's events are in one partition, so that they stay in order."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from integration.coalescing import Coalescer
from integration.errors import Transient

if TYPE_CHECKING:
    from azure.eventhub import EventHubProducerClient


@dataclass(frozen=True, slots=True)
class _Outgoing:
    key: str
    body: bytes
    content_type: str


class EventPublisher:
    """Publishes events to the hub `name`. One client, used by one thread; callers get futures.

    Events with the same key go to the same partition. Futures fail with `Transient` if the hub did not acknowledge.
    Links to partitions are opened side by side when they are first needed: the SDK takes 0.4 s for each, and gives each
    a connection of its own.
    """

    def __init__(self, connect: "Callable[[], EventHubProducerClient]", name: str) -> None:
        self._connect = connect
        self.name = name
        self._client: EventHubProducerClient | None = None
        self._partitions: list[str] = []
        self._linked: set[str] = set()
        self._opened = False
        self._coalescer: Coalescer[_Outgoing | None] = Coalescer("event-hub", self._send)

    def publish(self, key: str, body: bytes, *, content_type: str = "application/cloudevents+json") -> "Future[None]":
        """Publish `body`; resolves when the hub has acknowledged it."""
        return self._coalescer.submit(_Outgoing(key, body, content_type))

    def open(self) -> None:
        """Start to connect, unless that was done before; what is published later does not wait for it then."""
        if not self._opened:
            self._opened = True
            self._coalescer.submit(None)

    def ping(self) -> "Future[None]":
        """Resolves when the hub has been reached."""
        return self._coalescer.submit(None)

    def close(self) -> None:
        """Publish what is waiting and close the connection."""
        self._coalescer.close()
        self._disconnect()

    def _send(self, outgoing: Sequence[_Outgoing | None]) -> None:
        try:
            client = self._open()
            if None in outgoing:
                client.get_eventhub_properties()
            by_partition = defaultdict(list)
            for item in outgoing:
                if item is not None:
                    by_partition[self._partition_of(item.key)].append(item)
            self._send_over_new_links(client, {it: by_partition.pop(it) for it in by_partition.keys() - self._linked})
            for partition, items in by_partition.items():
                self._send_to(client, partition, items)
        except Exception as error:
            self._disconnect()
            raise Transient(
                f"event hub: not acknowledged ({type(error).__name__})", reason="hub-unavailable"
            ) from error

    def _send_over_new_links(
        self, client: "EventHubProducerClient", by_partition: Mapping[str, Sequence[_Outgoing]]
    ) -> None:
        if not by_partition:
            return
        with ThreadPoolExecutor(len(by_partition), "event-hub-links") as threads:
            list(threads.map(partial(self._send_to, client), by_partition.keys(), by_partition.values()))
        self._linked.update(by_partition)

    @staticmethod
    def _send_to(client: "EventHubProducerClient", partition: str, items: Sequence[_Outgoing]) -> None:
        from azure.eventhub import EventData  # noqa: PLC0415 -- slow to import, and the intake has no use for it

        batch = client.create_batch(partition_id=partition)
        for item in items:
            data = EventData(item.body)
            data.content_type = item.content_type
            try:
                batch.add(data)
            except ValueError:  # the batch is full: azure.eventhub has no more specific error for that
                client.send_batch(batch)
                batch = client.create_batch(partition_id=partition)
                batch.add(data)
        client.send_batch(batch)

    def _partition_of(self, key: str) -> str:
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        return self._partitions[int.from_bytes(digest, "big") % len(self._partitions)]

    def _open(self) -> "EventHubProducerClient":
        if self._client is None:
            self._client = self._connect()
            self._partitions = sorted(self._client.get_partition_ids())
            self._client.create_batch()  # the SDK asks for the largest size of a batch over a link of its own
        return self._client

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._linked.clear()
        if client is not None:
            with suppress(Exception):  # the connection is broken already
                client.close()
