"""Peek locks: which message is locked under which token, and until when."""

import uuid
from collections.abc import Callable

from sandbox.azure.broker.entities.deadlines import Deadlines
from sandbox.azure.broker.entities.sessions import Session
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.message import BrokeredMessage


class MessageLocks:
    """The locked messages of one queue. In a session they are locked as long as their session is.

    `wake` is called with the times (milliseconds) at which locks end; `lost` makes the error for a token under which
    nothing is locked (any more).
    """

    def __init__(self, wake: Callable[[int], None], lost: Callable[[], BrokerError]) -> None:
        self.by_token: dict[uuid.UUID, BrokeredMessage] = {}
        self.ends: Deadlines[uuid.UUID] = Deadlines(wake)
        self._lost = lost
        self._sessions: dict[uuid.UUID, Session] = {}  # of the messages that are locked under one

    def lock(self, message: BrokeredMessage, end: int, session: Session | None) -> None:
        """Locks a message until `end` (milliseconds); in a session, it is freed together with the session."""
        token = uuid.uuid4()
        message.lock_token = token
        self.by_token[token] = message
        if session is None:
            self._lock_until(message, token, end)
        else:
            message.locked_until = end
            session.locked[token] = message
            self._sessions[token] = session

    def unlock(self, message: BrokeredMessage) -> None:
        """Unlocks the message, if it is locked."""
        token = message.lock_token
        if token is None:
            return
        message.lock_token = None
        self.by_token.pop(token, None)
        self.ends.cancel(token)
        session = self._sessions.pop(token, None)
        if session is not None:
            session.locked.pop(token, None)

    def message(self, token: uuid.UUID) -> BrokeredMessage:
        """The message that is locked under the token; raises when none is (any more)."""
        message = self.by_token.get(token)
        if message is None:
            raise self._lost()
        return message

    def renew(self, token: uuid.UUID, end: int) -> int:
        """Extends a message's lock until `end` (milliseconds), and returns that."""
        self._lock_until(self.message(token), token, end)
        return end

    def _lock_until(self, message: BrokeredMessage, token: uuid.UUID, end: int) -> None:
        message.locked_until = end
        self.ends.set(token, end)
