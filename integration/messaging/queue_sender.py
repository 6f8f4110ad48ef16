"""Sends to one queue of Service Bus: one sender, one thread, batches of what comes in together."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeAlias

from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender
from azure.servicebus.exceptions import MessageSizeExceededError

from integration.clock import Clock, SystemClock
from integration.coalescing import Coalescer
from integration.errors import Transient

_SEND_SECONDS = 30.0
_PROOF_SECONDS = 30.0

Make: TypeAlias = Callable[[], ServiceBusMessage]
"""Makes a message, in the thread that sends it."""


class QueueSender:
    """Sends messages to the queue `name`. One sender, used by one thread; callers get futures.

    `connect` opens a client; it is called on first use and again after a failure. Futures fail with `Transient` if the
    broker did not acknowledge: the message may or may not be queued.
    """

    def __init__(
        self, connect: Callable[[], ServiceBusClient], queue_name: str, *, thread: str, clock: Clock | None = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._proved_at = -math.inf
        self._connect = connect
        self.name = queue_name
        self._client: ServiceBusClient | None = None
        self._sender: ServiceBusSender | None = None
        self._coalescer: Coalescer[Make | None] = Coalescer(thread, self._send)

    def submit(self, make: Make) -> "Future[None]":
        """Queue the message; resolves when the broker has acknowledged it."""
        return self._coalescer.submit(make)

    def ping(self) -> "Future[None]":
        """Resolves when the broker has been reached over an open link to the queue.

        A link that has worked within the last half minute and has not failed since is proof enough; an older one is
        closed and opened again. Health checks come often, and must not make an idle sender reopen its link each time.
        """
        if self._clock.monotonic() - self._proved_at < _PROOF_SECONDS:
            proved: Future[None] = Future()
            proved.set_result(None)
            return proved
        return self._coalescer.submit(None)

    def close(self) -> None:
        """Send what is waiting and close the connection."""
        self._coalescer.close()
        self._disconnect()

    def _send(self, outgoing: Sequence[Make | None]) -> None:
        try:
            if all(make is None for make in outgoing):
                self._disconnect()  # only a link that is opened now proves that the broker is available now
            sender = self._open()
            batch = sender.create_message_batch()
            for message in (make() for make in outgoing if make is not None):
                try:
                    batch.add_message(message)
                except MessageSizeExceededError:
                    sender.send_messages(batch, timeout=_SEND_SECONDS)
                    batch = sender.create_message_batch()
                    batch.add_message(message)
            sender.send_messages(batch, timeout=_SEND_SECONDS)
            self._proved_at = self._clock.monotonic()
        except Exception as error:
            self._proved_at = -math.inf
            self._disconnect()
            raise Transient(
                f"queue {self.name}: not acknowledged ({type(error).__name__})", reason="broker-unavailable"
            ) from error

    def _open(self) -> ServiceBusSender:
        if self._sender is None:
            self._client = self._connect()
            self._sender = self._client.get_queue_sender(self.name)
        return self._sender

    def _disconnect(self) -> None:
        client, self._client, self._sender = self._client, None, None
        if client is not None:
            with suppress(Exception):  # the connection is broken already
                client.close()
