"""The sessions of a queue or subscription: their holders, their messages, and the receivers that wait for a session."""

import heapq
import uuid
from typing import Protocol

from sandbox.azure.broker.entities.deadlines import Deadlines
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.errors import BrokerError, session_cannot_be_locked, session_lock_lost
from sandbox.azure.broker.message import BrokeredMessage


class Consumer(Protocol):
    """A receiving link, as a queue sees it."""

    link_name: str

    def wants(self) -> bool:
        """Whether it has credit."""

    def deliver(self, message: BrokeredMessage) -> None:
        """Sends it a message: locked, or already removed when `destructive`."""

    @property
    def destructive(self) -> bool:
        """Receive-and-delete."""

    def session_lost(self) -> None:
        """Its session's lock has expired."""

    def entity_closed(self, error: BrokerError) -> None:
        """The entity that it receives from was deleted, or can no longer be received from."""


class Acceptor(Protocol):
    """An attach that waits for the next available session."""

    def accept(self, session: "Session") -> None:
        """It gets this session."""

    def entity_closed(self, error: BrokerError) -> None:
        """The entity whose session it waits for was deleted, or can no longer be received from."""


class Session:
    """One session: the sequence numbers ready in it, its lock, its state."""

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.ready: list[int] = []
        self.holder: Consumer | None = None
        self.locked_until = 0
        self.state: bytes | None = None
        self.state_set_at = 0
        self.locked: dict[uuid.UUID, BrokeredMessage] = {}  # its messages that are locked, by token
        self.deferred = 0  # how many of its messages are deferred

    @property
    def is_forgettable(self) -> bool:
        """Whether nothing would be lost by forgetting it."""
        return not (self.ready or self.holder or self.locked or self.deferred or self.state is not None)


class Owner(Protocol):
    """The queue, as its sessions see it."""

    name: str

    def changed(self) -> None:
        """Deliveries may have become possible."""

    def is_ready(self, sequence_number: int) -> bool:
        """Whether the sequence number stands for a message that can be delivered now."""

    def deliver_from(self, ready: list[int], consumer: Consumer, session: Session) -> bool:
        """Delivers the first message of `ready`, locked under `session`; False when there is none."""

    def give_back(self, message: BrokeredMessage, *, counted: bool) -> None:
        """Unlocks a message; `counted` adds a delivery to its count."""

    def lock_end(self) -> int:
        """When a lock that begins now will end, in milliseconds."""


class SessionTable:
    """All sessions of one queue."""

    def __init__(self, engine: Engine, queue: Owner) -> None:
        self._engine = engine
        self._queue = queue
        self.sessions: dict[str, Session] = {}
        self.ends: Deadlines[str] = Deadlines(engine.wake_at)
        self._waiting: list[Acceptor] = []
        self._woken: set[Session] = set()  # sessions in which a delivery may have become possible
        self._available: dict[str, Session] = {}  # with messages, held by nobody; the longest waiting first

    def get(self, session_id: str) -> Session:
        """The session, which is made if it does not exist yet."""
        session = self.sessions.get(session_id)
        if session is None:
            session = self.sessions[session_id] = Session(session_id)
        return session

    def push(self, session_id: str, sequence_number: int) -> None:
        """A message is ready in the session."""
        session = self.get(session_id)
        heapq.heappush(session.ready, sequence_number)
        if session.holder is None:
            self._available.setdefault(session_id, session)
        else:
            self._woken.add(session)

    def forget_if_empty(self, session: Session) -> None:
        """Drops a session in which nothing is left."""
        if session.is_forgettable:
            self.sessions.pop(session.id, None)
            self._available.pop(session.id, None)

    # ---- delivering

    def wait(self, acceptor: Acceptor) -> None:
        """`acceptor` gets the next session that becomes available."""
        self._waiting.append(acceptor)
        self._queue.changed()

    def stop_waiting(self, acceptor: Acceptor) -> None:
        """`acceptor` waits no more."""
        if acceptor in self._waiting:
            self._waiting.remove(acceptor)

    def wake(self, session: Session) -> None:
        """The session's holder has new credit."""
        self._woken.add(session)
        self._queue.changed()

    def pump(self) -> None:
        """Gives free sessions to the receivers that wait for one, then messages to those that hold one."""
        while self._waiting and (available := self._next_available()) is not None:
            self._waiting.pop(0).accept(available)
        woken, self._woken = self._woken, set()
        for session in woken:
            consumer = session.holder
            while consumer is not None and consumer.wants():
                if not self._queue.deliver_from(session.ready, consumer, session):
                    break

    def close(self, error: BrokerError) -> None:
        """The queue was deleted, or nobody may receive from it: detaches those who hold a session or wait for one."""
        for session in list(self.sessions.values()):
            if session.holder is not None:
                session.holder.entity_closed(error)
        for acceptor in list(self._waiting):
            acceptor.entity_closed(error)

    def _next_available(self) -> Session | None:
        while self._available:
            session_id, session = next(iter(self._available.items()))
            while session.ready and not self._queue.is_ready(session.ready[0]):
                heapq.heappop(session.ready)
            if session.holder is None and session.ready:
                return session
            del self._available[session_id]
            self.forget_if_empty(session)
        return None

    # ---- locks

    def accept(self, session: Session, holder: Consumer) -> None:
        """Locks the session for `holder`."""
        if session.holder is not None:
            raise session_cannot_be_locked(session.id)
        session.holder = holder
        session.locked_until = self._queue.lock_end()
        self._available.pop(session.id, None)
        self.ends.set(session.id, session.locked_until)
        self.wake(session)

    def held(self, session_id: str, link_name: str | None) -> Session:
        """The session; raises when it is not locked, or not by the link `link_name`, if that is given."""
        session = self.sessions.get(session_id)
        if session is None or session.holder is None:
            raise session_lock_lost()
        if link_name is not None and session.holder.link_name != link_name:
            raise session_lock_lost()
        return session

    def renew(self, session_id: str, link_name: str | None) -> int:
        """Extends a session's lock and those of its messages; the new end in milliseconds."""
        session = self.held(session_id, link_name)
        session.locked_until = self._queue.lock_end()
        for message in session.locked.values():
            message.locked_until = session.locked_until
        self.ends.set(session_id, session.locked_until)
        self._engine.count("session_locks_renewed")
        return session.locked_until

    def free(self, session: Session, *, counted: bool) -> None:
        """Ends the session's lock and those of its messages; `counted` adds a delivery to the count of each."""
        session.holder = None
        self.ends.cancel(session.id)
        self._woken.discard(session)
        for message in list(session.locked.values()):
            self._queue.give_back(message, counted=counted)
        if session.ready:
            self._available.setdefault(session.id, session)
        else:
            self.forget_if_empty(session)
        self._queue.changed()

    def expire(self, now: int) -> None:
        """Frees the sessions whose lock has ended, and notifies their holders."""
        for session_id in self.ends.pop_due(now):
            session = self.sessions[session_id]
            holder = session.holder
            self._engine.count("session_locks_expired")
            self.free(session, counted=True)
            if holder is not None:
                holder.session_lost()

    # ---- state

    def set_state(self, session_id: str, link_name: str | None, state: bytes | None) -> None:
        """Stores a state with the session; None clears it."""
        session = self.held(session_id, link_name)
        session.state, session.state_set_at = state, self._engine.clock.now()
        self._engine.store.put_session(self._queue.name, session.id, state, session.state_set_at)

    def restore_state(self, session_id: str, state: bytes, set_at: int) -> None:
        """Puts back a session's state after a restart."""
        session = self.get(session_id)
        session.state, session.state_set_at = state, set_at

    def active_ids(self) -> list[str]:
        """Sessions with messages or a stored state."""
        return [key for key, item in self.sessions.items() if item.ready or item.locked or item.state is not None]

    def ids_with_state_set_after(self, when: int) -> list[str]:
        """Sessions whose state was set after `when` (milliseconds)."""
        return [key for key, item in self.sessions.items() if item.state is not None and item.state_set_at > when]
