"""Service Bus triggers: what is common, and queues or subscriptions without sessions.

Sources: azure-sdk-for-net ServiceBusListener.cs, MessageProcessor.cs, ReceiverManager.cs.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.azure.amqp import Delivery, Sections, Source
from sandbox.azure.amqp.types import Array, Timestamp
from sandbox.azure.host.amqp.client import AmqpConnection
from sandbox.azure.host.amqp.links import AmqpError, Receiver
from sandbox.azure.host.amqp.namespaces import BackOff, Namespace, keep_trying
from sandbox.azure.host.encoding import service_bus as encoding
from sandbox.azure.host.encoding import values
from sandbox.azure.host.encoding.service_bus import ServiceBusMessage
from sandbox.azure.host.functions import Function
from sandbox.azure.host.host_json import ServiceBusOptions
from sandbox.azure.host.workers.dispatcher import Dispatcher

log = logging.getLogger(__name__)

_RENEW_BEFORE = 10.0  # seconds before a lock's end; half its length when it is shorter (ReceiverManager.cs)
_BATCH_LINGER = 0.02  # seconds that a batch receive waits for more after the first message


@dataclass(frozen=True, slots=True)
class Entity:
    """A queue or subscription and what one function does with it."""

    function: Function
    path: str
    namespace: Namespace
    options: ServiceBusOptions
    dispatcher: Dispatcher

    async def process(self, receiver: Receiver, delivery: Delivery, locked_until: datetime | None = None) -> None:
        """Run the function on one message, then settle it: complete after success, abandon at once otherwise."""
        try:
            message = ServiceBusMessage.read(delivery)
            value, metadata = encoding.single(
                message, self.namespace.address.namespace, locked_until, binary=self.function.binary
            )
            succeeded = (await self.dispatcher.invoke(self.function, value, metadata)).succeeded
        except ValueError as error:
            log.error("Function '%s' cannot take a message: %s", self.function.name, error)  # noqa: TRY400 -- the message says it all
            succeeded = False
        await self.settle(receiver, [delivery], succeeded=succeeded)

    async def process_batch(
        self, receiver: Receiver, deliveries: Sequence[Delivery], locked_until: datetime | None = None
    ) -> None:
        """Run the function on a batch; the batch is settled as a whole."""
        try:
            messages = [ServiceBusMessage.read(delivery) for delivery in deliveries]
            value, metadata = encoding.batch(
                messages, self.namespace.address.namespace, locked_until, binary=self.function.binary
            )
            succeeded = (await self.dispatcher.invoke(self.function, value, metadata)).succeeded
        except ValueError as error:
            log.error("Function '%s' cannot take a batch: %s", self.function.name, error)  # noqa: TRY400 -- the message says it all
            succeeded = False
        await self.settle(receiver, deliveries, succeeded=succeeded)

    async def settle(self, receiver: Receiver, deliveries: Sequence[Delivery], *, succeeded: bool) -> None:
        """Complete or abandon; a lost lock is logged: the message will come again."""
        if succeeded and not self.options.auto_complete:
            return
        act = receiver.complete if succeeded else receiver.abandon
        results = await asyncio.gather(*(act(delivery) for delivery in deliveries), return_exceptions=True)
        for error in results:
            if isinstance(error, AmqpError):
                log.warning("A message of '%s' could not be settled: %s", self.path, error)
            elif isinstance(error, BaseException):
                raise error

    async def run_manually(self, text: str) -> None:
        """Run the function on a message made of `text`, settled nowhere (the admin API)."""
        message = encoding.synthetic(text)
        encode = (
            encoding.batch([message], self.namespace.address.namespace, None, binary=self.function.binary)
            if self.function.many
            else encoding.single(message, self.namespace.address.namespace, None, binary=self.function.binary)
        )
        await self.dispatcher.invoke(self.function, *encode)


class LockRenewal:
    """Renews one lock shortly before it ends, again and again, for at most `longest` seconds."""

    def __init__(self, renew: Callable[[], Awaitable[datetime]], locked_until: datetime, longest: float) -> None:
        self._renew = renew
        self._loop = asyncio.get_running_loop()
        self._give_up = self._loop.time() + longest
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._schedule(locked_until)

    def stop(self) -> None:
        """Stop renewing."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _schedule(self, locked_until: datetime) -> None:
        remaining = (locked_until - datetime.now(locked_until.tzinfo)).total_seconds()
        delay = max(remaining - min(remaining / 2, _RENEW_BEFORE), 0.1)
        self._timer = self._loop.call_later(delay, self._start)

    def _start(self) -> None:
        if self._loop.time() >= self._give_up:
            return
        self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            self._schedule(await self._renew())
        except (AmqpError, TimeoutError) as error:
            log.warning("A lock could not be renewed: %s", error)


async def renew_message_lock(connection: AmqpConnection, entity: str, receiver: Receiver, token: uuid.UUID) -> datetime:
    """One renewal; returns the new end of the lock."""
    answer = await connection.manage(
        entity,
        "com.microsoft:renew-lock",
        {"lock-tokens": Array(uuid.UUID, [token])},
        {"associated-link-name": receiver.link.name},
    )
    return values.from_milliseconds(answer["expirations"][0])


class QueueListener:
    """A queue or subscription without sessions: `maxConcurrentCalls` messages at a time over one link."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._back_off = BackOff(f"Function '{entity.function.name}' on '{entity.path}'")
        self._receiver: Receiver | None = None

    def start(self) -> None:
        """Listen until `stop`."""
        work = self._receive_batches if self._entity.function.many else self._receive
        self._task = asyncio.get_running_loop().create_task(keep_trying(self._back_off, work))

    async def stop(self) -> None:
        """Take no more messages; give back those that wait, and let running functions end."""
        if self._task is None:
            return
        if self._receiver is None or self._receiver.failure is not None:
            self._task.cancel()
        else:
            self._receiver.interrupt()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._receiver is not None and self._receiver.failure is None:
            self._receiver.release()

    async def _attach(self) -> tuple[AmqpConnection, Receiver]:
        connection = await self._entity.namespace.connection()
        self._receiver = await connection.attach_receiver(self._entity.path, Source(self._entity.path))
        self._back_off.succeeded()
        return connection, self._receiver

    async def _receive(self) -> None:
        connection, receiver = await self._attach()
        options = self._entity.options
        slots = asyncio.Semaphore(options.max_concurrent_calls)
        receiver.grant(options.max_concurrent_calls + options.prefetch_count)
        while True:
            await slots.acquire()
            delivery = await receiver.receive()
            if delivery is None:
                raise asyncio.CancelledError  # interrupted
            task = asyncio.get_running_loop().create_task(self._process(connection, receiver, delivery, slots))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _process(
        self, connection: AmqpConnection, receiver: Receiver, delivery: Delivery, slots: asyncio.Semaphore
    ) -> None:
        renewal = self._renewal(connection, receiver, delivery)
        try:
            await self._entity.process(receiver, delivery)
        finally:
            if renewal is not None:
                renewal.stop()
            slots.release()
            receiver.grant(1)

    def _renewal(self, connection: AmqpConnection, receiver: Receiver, delivery: Delivery) -> LockRenewal | None:
        longest = self._entity.options.max_lock_renewal
        locked_until: Any = Sections.parse(delivery.payload).annotation("x-opt-locked-until")
        if not isinstance(locked_until, Timestamp) or longest <= 0 or len(delivery.tag) != 16:
            return None
        token = uuid.UUID(bytes_le=delivery.tag)

        async def renew() -> datetime:
            return await renew_message_lock(connection, self._entity.path, receiver, token)

        return LockRenewal(renew, values.from_milliseconds(locked_until), longest)

    async def _receive_batches(self) -> None:
        _, receiver = await self._attach()
        receiver.grant(max(self._entity.options.max_batch_size, self._entity.options.prefetch_count))
        while True:
            batch = await receive_batch(receiver, self._entity.options, None)
            if not batch:
                raise asyncio.CancelledError  # interrupted
            task = asyncio.get_running_loop().create_task(self._entity.process_batch(receiver, batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await asyncio.shield(task)
            receiver.grant(len(batch))


async def receive_batch(receiver: Receiver, options: ServiceBusOptions, wait: float | None) -> list[Delivery]:
    """Up to `maxMessageBatchSize` messages; waits for `minMessageBatchSize` of them, for `maxBatchWaitTime` at most.

    Returns nothing when nothing comes within `wait` seconds.
    """
    first = await receiver.receive(wait)
    if first is None:
        return []
    await asyncio.sleep(_BATCH_LINGER)
    batch = [first, *receiver.take(options.max_batch_size - 1)]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + options.max_batch_wait
    while len(batch) < options.min_batch_size and loop.time() < deadline:
        more = await receiver.receive(deadline - loop.time())
        if more is None:
            break
        batch += [more, *receiver.take(options.max_batch_size - len(batch) - 1)]
    return batch
