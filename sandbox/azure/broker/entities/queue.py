"""Queues; subscriptions, topics and dead-letter queues are queues too."""

import heapq
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sandbox.azure.broker.entities.deadlines import Deadlines
from sandbox.azure.broker.entities.duplicates import DuplicateWindow
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.locks import MessageLocks
from sandbox.azure.broker.entities.options import QueueOptions
from sandbox.azure.broker.entities.sessions import Consumer, Session, SessionTable
from sandbox.azure.broker.errors import (
    BrokerError,
    disabled,
    message_lock_lost,
    not_allowed,
    not_found,
    session_lock_lost,
)
from sandbox.azure.broker.message import EXPIRED, BrokeredMessage, DeadLetterReason, State, too_many_deliveries

DEAD_LETTER_SUFFIX = "/$DeadLetterQueue"
_UNLIMITED = 1 << 30
_MAX_HOPS = 4  # Azure's limit of chained forwarding

Forward = Callable[[str, BrokeredMessage], int]
"""Sends a message to the queue or topic of a name; gives its sequence number there, raises `BrokerError` if refused."""


class Queue:
    """Messages in order, peek-locked or taken by consumers; the engine's store gets every change."""

    def __init__(
        self, engine: Engine, name: str, options: QueueOptions, forward: Forward, *, is_dead_letters: bool = False
    ) -> None:
        self.engine = engine
        self.name = name
        self.options = options
        self.is_dead_letters = is_dead_letters
        self.messages: dict[int, BrokeredMessage] = {}
        self.sessions = SessionTable(engine, self) if options.requires_session else None
        self.duplicates = DuplicateWindow(options.duplicate_window)
        self.next_sequence_number = 1
        self.created_at = self.accessed_at = engine.clock.now()
        self.is_deleted = False
        self.dead_letters: Queue | None = None
        self.transfer_dead_letters: Queue | None = None  # for failures to forward; always empty here
        if not is_dead_letters:
            plain = QueueOptions(options.lock_duration, _UNLIMITED, time_to_live=None)
            self.dead_letters = Queue(engine, name + DEAD_LETTER_SUFFIX, plain, forward, is_dead_letters=True)
            self.transfer_dead_letters = Queue(
                engine, name + "/$Transfer" + DEAD_LETTER_SUFFIX, plain, forward, is_dead_letters=True
            )
        self._ready: list[int] = []
        self._consumers: deque[Consumer] = deque()
        self._forward = forward
        self.locks = MessageLocks(engine.wake_at, session_lock_lost if options.requires_session else message_lock_lost)
        self._scheduled: Deadlines[int] = Deadlines(engine.wake_at)
        self._expiries: Deadlines[int] = Deadlines(engine.wake_at)

    def delete(self) -> None:
        """Takes the queue out of service: its receivers are notified, and what is sent to it is refused."""
        self.is_deleted = True
        self._end_consumers(not_found(self.name))
        for queue in (self.dead_letters, self.transfer_dead_letters):
            if queue is not None:
                queue.delete()

    def change(self, options: QueueOptions) -> None:
        """Applies other options from now on; if messages can no longer be received, receivers are detached."""
        self.options = options
        self.duplicates.window_ms = options.duplicate_window
        if not options.can_receive:
            self._end_consumers(disabled(self.name))

    def _end_consumers(self, error: BrokerError) -> None:
        for consumer in list(self._consumers):
            consumer.entity_closed(error)
        if self.sessions is not None:
            self.sessions.close(error)

    # ---- sending

    def check(self, message: BrokeredMessage) -> None:
        """Raises `BrokerError` when the queue cannot take the message."""
        if self.is_deleted:
            raise not_found(self.name)
        self._check_status()
        message.check_ids()
        if self.options.forward_to:
            return
        if self.options.requires_session and message.session_id is None:
            raise not_allowed(
                "The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have "
                "session support enabled can only receive messages that have the SessionId set to a valid value."
            )

    def _check_status(self) -> None:
        if not self.options.can_send:
            raise disabled(self.name)

    def send(self, message: BrokeredMessage) -> int:
        """Takes a checked message, now or as scheduled, and gives its sequence number: 0 for a duplicate."""
        now = self.accessed_at = self.engine.clock.now()
        if self.duplicates.is_duplicate(message.message_id, now):
            self.engine.count("duplicates")
            return 0
        if self.duplicates.window_ms:
            self.engine.store.remember_id(self.name, message.message_id, now, now - self.duplicates.window_ms)
        if self.options.forward_to:
            return self._forward_to(self.options.forward_to, message)
        message.sequence_number = self.next_sequence_number
        self.next_sequence_number += 1
        message.enqueued_at = now
        if message.scheduled_for is not None and message.scheduled_for > now:
            message.state = State.SCHEDULED
            message.enqueued_at = message.scheduled_for
        self.engine.store.put(self.name, message)
        self.admit(message)
        return message.sequence_number

    def _forward_to(self, target: str, message: BrokeredMessage) -> int:
        if message.hops >= _MAX_HOPS:
            self._bury(message, DeadLetterReason("MaxTransferHopCountExceeded", "Forwarded more often than allowed."))
            return 0
        message.hops += 1
        return self._forward(target, message)

    def admit(self, message: BrokeredMessage) -> None:
        """Puts a stored message in its place, whether it was just sent or read back after a restart."""
        self.messages[message.sequence_number] = message
        self.next_sequence_number = max(self.next_sequence_number, message.sequence_number + 1)
        if message.state is State.SCHEDULED:
            self._scheduled.set(message.sequence_number, message.scheduled_for or 0)
        elif message.state is State.DEFERRED:
            if self.sessions is not None:
                self.sessions.get(message.session_id or "").deferred += 1
        else:
            self.activate(message)

    def activate(self, message: BrokeredMessage) -> None:
        """The message can be delivered from now on."""
        limits = [limit for limit in (message.content.ttl, self.options.time_to_live) if limit is not None]
        if limits and not self.is_dead_letters:
            message.expires_at = message.enqueued_at + min(limits)
            self._expiries.set(message.sequence_number, message.expires_at)
        self._push(message)

    def _push(self, message: BrokeredMessage) -> None:
        if self.sessions is not None:
            self.sessions.push(message.session_id or "", message.sequence_number)
        else:
            heapq.heappush(self._ready, message.sequence_number)
        self.changed()

    # ---- delivering

    def add_consumer(self, consumer: Consumer) -> None:
        """A receiver without session competes for messages from now on."""
        self._consumers.append(consumer)
        self.accessed_at = self.engine.clock.now()

    def remove_consumer(self, consumer: Consumer) -> None:
        """The receiver has detached. Its messages stay locked until the locks expire."""
        if consumer in self._consumers:
            self._consumers.remove(consumer)

    def changed(self) -> None:
        """Deliveries from this queue may have become possible."""
        self.engine.changed(self)

    def pump(self) -> None:
        """Delivers what can be delivered."""
        if self.sessions is not None:
            self.sessions.pump()
            return
        idle = 0
        while self._ready and idle < len(self._consumers):
            consumer = self._consumers[0]
            self._consumers.rotate(-1)
            if consumer.wants() and self.deliver_from(self._ready, consumer, None):
                idle = 0
            else:
                idle += 1

    def deliver_from(self, ready: list[int], consumer: Consumer, session: Session | None) -> bool:
        """Delivers the first message of `ready`, locked under `session` if there is one; False when there is none."""
        while ready:
            message = self.messages.get(heapq.heappop(ready))
            if message is None or not self.is_ready(message.sequence_number):
                continue
            if consumer.destructive:
                self.remove(message)
                self.engine.count("completed")
            else:
                self.lock(message, session)
            self.engine.count("delivered")
            consumer.deliver(message)
            return True
        return False

    def is_ready(self, sequence_number: int) -> bool:
        """Whether the sequence number stands for a message that can be delivered now."""
        message = self.messages.get(sequence_number)
        return message is not None and message.state is State.ACTIVE and message.lock_token is None

    # ---- settling

    def complete(self, token: uuid.UUID) -> None:
        """The message has been processed; it is removed."""
        self.remove(self.locks.message(token))
        self.engine.count("completed")

    def abandon(self, token: uuid.UUID, changes: Mapping[str, Any] | None = None) -> None:
        """The message goes back into the queue, and the delivery is counted; `changes` are application properties."""
        message = self.locks.message(token)
        self._change_properties(message, changes)
        self.give_back(message, counted=True)

    def release(self, token: uuid.UUID) -> None:
        """The message goes back into the queue as if it had not been delivered."""
        self.give_back(self.locks.message(token), counted=False)

    def defer(self, token: uuid.UUID, changes: Mapping[str, Any] | None = None) -> None:
        """The message is set aside: from now on it is received by its sequence number only. `changes` as above."""
        message = self.locks.message(token)
        self._change_properties(message, changes)
        self.locks.unlock(message)
        message.delivery_count += 1
        if message.state is not State.DEFERRED:
            message.state = State.DEFERRED
            if self.sessions is not None:
                self.sessions.get(message.session_id or "").deferred += 1
        self.engine.store.update(self.name, message)

    def _change_properties(self, message: BrokeredMessage, changes: Mapping[str, Any] | None) -> None:
        if changes:
            message.content.add_application_properties({str(key): value for key, value in changes.items()})
            self.engine.store.put(self.name, message)

    def dead_letter(self, token: uuid.UUID, reason: DeadLetterReason) -> None:
        """The message goes into the dead-letter queue, with the reason as application properties."""
        message = self.locks.message(token)
        if self.is_dead_letters:
            raise not_allowed("A message in a dead-letter queue cannot be dead-lettered.")
        self._bury(message, reason)

    def _bury(self, message: BrokeredMessage, reason: DeadLetterReason) -> None:
        buried = message.copy()
        buried.sequence_number = message.sequence_number
        if message.sequence_number in self.messages:
            self.remove(message)
        buried.content.add_application_properties(reason.entries())
        buried.dead_letter_source = self.name
        self.engine.count("dead_lettered")
        if self.options.forward_dead_letters_to:
            with suppress(BrokerError):  # if it is refused there, it stays here
                self._forward(self.options.forward_dead_letters_to, buried)
                return
        if self.dead_letters is not None:
            if buried.sequence_number in self.dead_letters.messages or not buried.sequence_number:
                buried.sequence_number = self.dead_letters.next_sequence_number
            self.engine.store.put(self.dead_letters.name, buried)
            self.dead_letters.admit(buried)

    def give_back(self, message: BrokeredMessage, *, counted: bool) -> None:
        """Unlocks a message; `counted` adds a delivery to its count, and at the limit dead-letters it."""
        self.locks.unlock(message)
        if counted:
            message.delivery_count += 1
            if message.delivery_count >= self.options.max_delivery_count:
                self._bury(message, too_many_deliveries(message.delivery_count))
                return
            self.engine.store.update(self.name, message)
        if message.state is State.ACTIVE:
            if message.expires_at is not None and message.expires_at <= self.engine.clock.now():
                self._expire(message)
            else:
                self._push(message)

    def remove(self, message: BrokeredMessage) -> None:
        """Removes the message."""
        number = message.sequence_number
        self.locks.unlock(message)
        self.messages.pop(number, None)
        self._scheduled.cancel(number)
        self._expiries.cancel(number)
        self.engine.store.delete(self.name, message.sequence_number)
        if self.sessions is not None and (session := self.sessions.sessions.get(message.session_id or "")):
            session.deferred -= message.state is State.DEFERRED
            self.sessions.forget_if_empty(session)

    # ---- time

    def lock_end(self) -> int:
        """When a lock that begins now will end, in milliseconds."""
        return self.engine.clock.now() + self.options.lock_duration

    def lock(self, message: BrokeredMessage, session: Session | None) -> None:
        """Locks a message, as long as its session or, without one, for the lock duration."""
        self.locks.lock(message, self.lock_end() if session is None else session.locked_until, session)

    def renew(self, token: uuid.UUID) -> int:
        """Extends a message's lock; the new end in milliseconds."""
        return self.locks.renew(token, self.lock_end())

    def next_deadline(self) -> int | None:
        """When `expire` has something to do next."""
        times = [self.locks.ends.next(), self._scheduled.next(), self._expiries.next()]
        if self.sessions is not None:
            times.append(self.sessions.ends.next())
        return min((when for when in times if when is not None), default=None)

    def expire(self, now: int) -> None:
        """Does what is due: scheduled messages become active, locks end, messages expire."""
        for number in self._scheduled.pop_due(now):
            message = self.messages[number]
            message.state = State.ACTIVE
            self.engine.store.update(self.name, message)
            self.activate(message)
        for token in self.locks.ends.pop_due(now):
            self.engine.count("locks_expired")
            self.give_back(self.locks.by_token[token], counted=True)
        if self.sessions is not None:
            self.sessions.expire(now)
        for number in self._expiries.pop_due(now):
            if self.is_ready(number):
                self._expire(self.messages[number])

    def _expire(self, message: BrokeredMessage) -> None:
        self.engine.count("expired")
        if self.options.dead_letter_expired:
            self._bury(message, EXPIRED)
        else:
            self.remove(message)
