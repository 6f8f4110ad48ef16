"""Peek locks: which message is locked under which token, and until when."""

import uuid
from typing import TYPE_CHECKING

from sandbox.azure.broker.deadlines import Deadlines
from sandbox.azure.broker.errors import message_lock_lost, session_lock_lost
from sandbox.azure.broker.message import BrokeredMessage

if TYPE_CHECKING:
    from sandbox.azure.broker.queue import Queue
    from sandbox.azure.broker.sessions import Session


class MessageLocks:
    """The locked messages of one queue. In a session they are locked as long as their session is."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        self.by_token: dict[uuid.UUID, BrokeredMessage] = {}
        self.ends: Deadlines[uuid.UUID] = Deadlines()

    def lock(self, message: BrokeredMessage, session: "Session | None") -> None:
        """Locks a message, as long as its session or for the lock duration."""
        token = uuid.uuid4()
        message.lock_token = token
        self.by_token[token] = message
        if session is not None:
            message.locked_until = session.locked_until
            session.locks.add(token)
        else:
            self._lock_until_duration_ends(message, token)

    def unlock(self, message: BrokeredMessage) -> None:
        """The message is locked no more."""
        token = message.lock_token
        if token is None:
            return
        message.lock_token = None
        self.by_token.pop(token, None)
        self.ends.cancel(token)
        sessions = self._queue.sessions
        if sessions is not None and (session := sessions.sessions.get(message.session_id or "")):
            session.locks.discard(token)

    def message(self, token: uuid.UUID) -> BrokeredMessage:
        """The message that is locked under the token; raises when none is (any more)."""
        message = self.by_token.get(token)
        if message is None:
            raise message_lock_lost() if self._queue.sessions is None else session_lock_lost()
        return message

    def renew(self, token: uuid.UUID) -> int:
        """Prolongs a message's lock; the new end in milliseconds."""
        message = self.message(token)
        self._lock_until_duration_ends(message, token)
        return message.locked_until

    def _lock_until_duration_ends(self, message: BrokeredMessage, token: uuid.UUID) -> None:
        message.locked_until = self._queue.namespace.clock.now() + self._queue.options.lock_duration
        self._queue.at(self.ends, token, message.locked_until)
