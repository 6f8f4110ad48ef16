"""Links of the AMQP client: receivers, and pairs for request and answer."""

import asyncio
import uuid
from collections import deque
from typing import Any, Protocol

from sandbox.azure.amqp import Delivery, Link, Properties, Sections, Session, build
from sandbox.azure.amqp.performatives import Accepted, DeliveryState, Error, Modified, Rejected, Source, Target

REQUEST_TIMEOUT = 30.0


class Flusher(Protocol):
    """What sends the frames that links have queued."""

    def flush_soon(self) -> None:
        """Send it at the end of this turn of the event loop."""


class AmqpError(Exception):
    """The peer refused or ended something; `condition` is AMQP's or Service Bus's name for why."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description


class ConnectionLostError(AmqpError):
    """The connection was lost, and with it everything on it."""

    def __init__(self, description: str = "the connection was lost") -> None:
        super().__init__("amqp:connection:forced", description)


def failure_of(error: Error | None) -> AmqpError:
    """The exception for a detach or close; without an error the connection itself was lost."""
    return ConnectionLostError() if error is None else AmqpError(error.condition, error.description or "")


class Receiver:
    """A receiving link. Messages wait in arrival order for `receive`; credit is the caller's to grant."""

    def __init__(self, connection: Flusher) -> None:
        self._connection = connection
        self.link: Link
        self.attached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: AmqpError | None = None
        self.interrupted = False
        self._ready: deque[Delivery] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._settling: dict[int, asyncio.Future[None]] = {}

    @property
    def waiting(self) -> int:
        """How many messages have come and were not taken."""
        return len(self._ready)

    def grant(self, more: int) -> None:
        """Grant credit for `more` messages, in addition to what was granted so far."""
        if not self.link.closed:
            self.link.grant(self.link.credit + more)
            self._connection.flush_soon()

    async def receive(self, wait: float | None = None) -> Delivery | None:
        """The next message; None when none comes within `wait` seconds, or after `interrupt`.

        Raises `AmqpError` once the link has ended.
        """
        loop = asyncio.get_running_loop()
        deadline = None if wait is None else loop.time() + wait
        while not self._ready or self.interrupted:
            if self.interrupted:
                return None
            if self.failure is not None:
                raise self.failure
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.append(waiter)
            timer = None if deadline is None else loop.call_at(deadline, _resolve, waiter)
            try:
                await waiter
            finally:
                if timer is not None:
                    timer.cancel()
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
            if deadline is not None and loop.time() >= deadline and not self._ready and self.failure is None:
                return None
        return self._ready.popleft()

    def interrupt(self) -> None:
        """Make `receive` return None from now on; received messages can still be settled."""
        self.interrupted = True
        for waiter in self._waiters:
            _resolve(waiter)

    def take(self, limit: int) -> list[Delivery]:
        """Up to `limit` of the messages that have come."""
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    async def complete(self, delivery: Delivery) -> None:
        """Settle as done and wait for the broker's answer; raises `AmqpError` when the lock is lost."""
        await self._settle(delivery, Accepted())

    async def abandon(self, delivery: Delivery) -> None:
        """Give back: available again at once, with one more failed delivery."""
        await self._settle(delivery, Modified(delivery_failed=True))

    async def _settle(self, delivery: Delivery, state: DeliveryState) -> None:
        if self.failure is not None:
            raise self.failure
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settling[delivery.delivery_id] = settled
        self.link.dispose(delivery.delivery_id, state)
        self._connection.flush_soon()
        await settled

    def release(self) -> None:
        """Give back what was not taken, without counting a delivery, and detach."""
        while self._ready:
            self.link.release_delivery(self._ready.popleft().delivery_id)
        self.link.detach()
        self.failure = ConnectionLostError("the link was detached")
        self._connection.flush_soon()

    # ---- called by the connection

    def on_delivery(self, delivery: Delivery) -> None:
        """A message has come."""
        self._ready.append(delivery)
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def on_settled(self, delivery_id: int, state: DeliveryState | None) -> None:
        """The broker's answer to a settlement."""
        settled = self._settling.pop(delivery_id, None)
        if settled is None or settled.done():
            return
        if isinstance(state, Rejected) and state.error is not None:
            settled.set_exception(failure_of(state.error))
        else:
            settled.set_result(None)

    def on_ended(self, failure: AmqpError) -> None:
        """The link was detached or its connection lost."""
        self.failure = failure
        if not self.attached.done():
            self.attached.set_exception(failure)
        for settled in self._settling.values():
            if not settled.done():
                settled.set_exception(failure)
        for waiter in self._waiters:
            _resolve(waiter)
        self._settling.clear()


def _resolve(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


class RequestLink:
    """A pair of links to `$cbs` or `.../$management`: send a request, wait for its answer."""

    def __init__(self, connection: Flusher, session: Session, address: str) -> None:
        self._connection = connection
        self._answers: dict[str, asyncio.Future[Sections]] = {}
        self._replies = Receiver(connection)
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: AmqpError | None = None
        name = f"{address}-{uuid.uuid4()}"
        terminus = Source(address), Target(address)
        self._replies.link = session.attach_receiver(f"{name}-in", terminus[0], target=terminus[1], context=self)
        self._requests = session.attach_sender(f"{name}-out", terminus[1], source=terminus[0], context=self)
        connection.flush_soon()

    async def request(self, body: Any, properties: dict[str, Any]) -> Sections:
        """Send one request; the answer's `application_properties` hold the status. Raises `AmqpError`."""
        async with asyncio.timeout(REQUEST_TIMEOUT):
            await asyncio.shield(self._ready)
            message_id = str(uuid.uuid4())
            answer: asyncio.Future[Sections] = asyncio.get_running_loop().create_future()
            self._answers[message_id] = answer
            message = build(body, properties=Properties(message_id=message_id), application_properties=properties)
            self._requests.send(message.encode(), uuid.uuid4().bytes, settled=True)
            self._connection.flush_soon()
            try:
                return await answer
            finally:
                self._answers.pop(message_id, None)

    def on_attached(self, link: Link) -> None:
        """One of the two links is attached; that for answers gets credit."""
        if link is self._replies.link:
            link.keep_granted(100)
        if self._replies.link.attached and self._requests.attached and not self._ready.done():
            self._ready.set_result(None)

    def on_delivery(self, link: Link, delivery: Delivery) -> None:
        """An answer."""
        if not delivery.settled:
            link.accept_delivery(delivery.delivery_id)
        link.replenish()
        message = Sections.parse(delivery.payload)
        answer = self._answers.get(str(message.property("correlation_id")))
        if answer is not None and not answer.done():
            answer.set_result(message)

    def on_ended(self, failure: AmqpError) -> None:
        """One of the two links has ended, which ends the pair."""
        self.failure = failure
        waiting: list[asyncio.Future[Any]] = [self._ready, *self._answers.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(failure)
                future.exception()  # retrieved, as nobody may be waiting
