"""Service Bus triggers on sessions: slots that accept the next session, process its messages, and release it.

This follows the .NET processor (azure-sdk-for-net ServiceBusSessionProcessor.cs, SessionReceiverManager.cs): each of
`maxConcurrentSessions` slots accepts whatever session is available, receives until no message has come for
`sessionIdleTimeout`, releases it, and starts again. At most two slots per processor core wait for a
session at the same time.
"""

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.azure.amqp import Source
from sandbox.azure.amqp.types import Described, Symbol, UInt
from sandbox.azure.host.amqp.client import AmqpConnection
from sandbox.azure.host.amqp.links import AmqpError, Receiver
from sandbox.azure.host.amqp.namespaces import BackOff, keep_trying
from sandbox.azure.host.encoding import values
from sandbox.azure.host.triggers.service_bus import Entity, LockRenewal, receive_batch

log = logging.getLogger(__name__)

ACCEPT_TIMEOUT = 60.0
"""Seconds that the broker holds an accept for which there is no session (the SDKs' try timeout)."""

_FILTER = Symbol("com.microsoft:session-filter")
_DOTNET_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


class Session:
    """An accepted session: its id, its link, and its lock.

    The lock is renewed for `maxAutoLockRenewalDuration` from the moment it was accepted, however many messages it has:
    SessionReceiverManager.cs, RenewSessionLock.
    """

    def __init__(self, entity: Entity, connection: AmqpConnection, receiver: Receiver) -> None:
        self._entity = entity
        self._connection = connection
        self.receiver = receiver
        chosen: Any = (receiver.link.source.filter or {}).get(_FILTER) if receiver.link.source else None
        self.session_id = str(chosen.value if isinstance(chosen, Described) else chosen)
        ticks = int(receiver.link.remote_properties.get("com.microsoft:locked-until-utc", 0))
        self.locked_until = _DOTNET_EPOCH + timedelta(microseconds=ticks // 10)
        longest = entity.options.max_lock_renewal
        self._renewal = LockRenewal(self._renew, self.locked_until, longest) if longest > 0 else None

    @classmethod
    async def accept_next(cls, entity: Entity) -> "Session":
        """The next available session; raises `AmqpError` (`com.microsoft:timeout`) when there is none for a minute."""
        connection = await entity.namespace.connection()
        receiver = await connection.attach_receiver(
            entity.path,
            Source(entity.path, filter={_FILTER: None}),
            wait=ACCEPT_TIMEOUT + 10,
            properties={"com.microsoft:timeout": UInt(int(ACCEPT_TIMEOUT * 1000))},
        )
        return cls(entity, connection, receiver)

    async def _renew(self) -> datetime:
        answer = await self._connection.manage(
            self._entity.path,
            "com.microsoft:renew-session-lock",
            {"session-id": self.session_id},
            {"associated-link-name": self.receiver.link.name},
        )
        self.locked_until = values.from_milliseconds(answer["expiration"])
        return self.locked_until

    def close(self) -> None:
        """Release the session, without counting a delivery of its messages."""
        if self._renewal is not None:
            self._renewal.stop()
        if self.receiver.failure is None:
            self.receiver.release()


class SessionListener:
    """All sessions of one queue or subscription."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        batched = entity.function.many
        self._slots = 1 if batched else entity.options.max_concurrent_sessions
        self._work = self._batches if batched else self._messages
        self._accepting = asyncio.Semaphore(min(self._slots, 2 * (os.cpu_count() or 1)))
        self._tasks: list[asyncio.Task[None]] = []
        self._back_off = BackOff(f"Function '{entity.function.name}' on '{entity.path}'")
        self._held: set[Session] = set()
        self._without_session: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listen until `stop`."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(keep_trying(self._back_off, self._slot)) for _ in range(self._slots)]
        self._without_session.update(self._tasks)

    async def stop(self) -> None:
        """Accept no more sessions and take no more messages; let running functions end, then release the sessions."""
        for session in self._held:
            session.receiver.interrupt()
        for task in self._without_session:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _slot(self) -> None:
        task = asyncio.current_task()
        session = await self._accept()
        self._back_off.succeeded()
        if session is None or task is None:
            return
        self._held.add(session)
        self._without_session.discard(task)
        try:
            await self._work(session)
        finally:
            session.close()
            self._without_session.add(task)
            self._held.discard(session)
        if session.receiver.interrupted:
            raise asyncio.CancelledError

    async def _accept(self) -> Session | None:
        async with self._accepting:
            try:
                return await Session.accept_next(self._entity)
            except AmqpError as error:
                if error.condition == "com.microsoft:timeout":
                    return None
                raise

    async def _messages(self, session: Session) -> None:
        calls = self._entity.options.max_concurrent_calls_per_session
        session.receiver.grant(calls + self._entity.options.prefetch_count)
        if calls == 1:
            await self._one_by_one(session)
        else:
            await asyncio.gather(*(self._one_by_one(session) for _ in range(calls)))

    async def _one_by_one(self, session: Session) -> None:
        receiver, idle = session.receiver, self._entity.options.session_idle_timeout
        while (delivery := await receiver.receive(idle)) is not None:
            await self._entity.process(receiver, delivery, session.locked_until)
            receiver.grant(1)

    async def _batches(self, session: Session) -> None:
        receiver, options = session.receiver, self._entity.options
        receiver.grant(options.max_batch_size)
        while batch := await receive_batch(receiver, options, options.session_idle_timeout):
            await self._entity.process_batch(receiver, batch, session.locked_until)
            receiver.grant(len(batch))
