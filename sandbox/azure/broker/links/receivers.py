"""Links on which clients receive from a queue or subscription, with and without session."""

from typing import Any

from sandbox.azure.amqp.link import Link
from sandbox.azure.amqp.performatives import (
    SETTLE_SETTLED,
    Accepted,
    DeliveryState,
    Error,
    Modified,
    Rejected,
    Released,
    Source,
)
from sandbox.azure.amqp.types import Described, Symbol
from sandbox.azure.broker.entities.queue import Queue
from sandbox.azure.broker.entities.sessions import Session, SessionTable
from sandbox.azure.broker.errors import BrokerError, not_allowed, session_lock_lost, unknown_transaction
from sandbox.azure.broker.links.endpoints import Endpoint, Scheduler, Timer, new_tag
from sandbox.azure.broker.message import BrokeredMessage, DeadLetterReason

SESSION_FILTER = "com.microsoft:session-filter"
_TICKS_AT_1970 = 621_355_968_000_000_000  # .NET counts ticks of 100 ns from the year 1
_DEFAULT_WAIT_MS = 65_000
_GRACE_SECONDS = 3.0  # from the loss of a session's lock to the detach, as the client may be closing it already


class QueueReceiver(Endpoint):
    """A competing consumer. The delivery tag is the lock token as a little-endian GUID."""

    def __init__(self, scheduler: Scheduler, link: Link, queue: Queue) -> None:
        self._scheduler = scheduler
        self._link = link
        self._queue = queue
        self.link_name = link.name
        self.destructive = link.snd_settle_mode == SETTLE_SETTLED

    def open(self) -> None:
        """Accepts the attach."""
        if self._queue.sessions is not None:
            raise not_allowed(
                "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
            )
        source = self._link.source or Source()
        source.filter = None  # queues have no filters but that of sessions, and the answer says so
        self._link.accept(source=source)
        self._queue.add_consumer(self)

    def wants(self) -> bool:
        return self._link.credit > 0 and self._link.attached and not self._link.closed

    def deliver(self, message: BrokeredMessage) -> None:
        token = message.lock_token
        if token is None:
            self._link.send(message.encode(), new_tag(), settled=True)
        else:
            self._link.send(message.encode(), token.bytes_le, context=token)

    def session_lost(self) -> None:
        """Nothing to do: this receiver has no session."""

    def entity_closed(self, error: BrokerError) -> None:
        if self._link.attached:
            self._link.detach(Error(error.condition, error.description))
        else:
            self._link.refuse(error.condition, error.description)
        self.on_detach()

    def on_flow(self, link: Link) -> None:
        if link.credit:
            self._wake()
        if link.drain:
            self._scheduler.after_pump(link.drained)

    def _wake(self) -> None:
        self._queue.changed()

    def on_outcome(self, link: Link, delivery_id: int, token: Any, state: DeliveryState | None, settled: bool) -> None:
        try:
            answer = self._settle(token, state)
        except BrokerError as error:
            answer = Rejected(Error(error.condition, error.description))
        if not settled:
            self._scheduler.after_commit(lambda: link.settle(delivery_id, answer))

    def _settle(self, token: Any, state: DeliveryState | None) -> DeliveryState:
        """Does what the outcome asks for; the answer is the same outcome, after dead-lettering without its error."""
        match state:
            case Accepted():
                self._queue.complete(token)
            case Modified(undeliverable_here=True):
                self._queue.defer(token, state.message_annotations)
            case Modified():
                self._queue.abandon(token, state.message_annotations)
            case Described():
                raise unknown_transaction()
            case Rejected():
                self._queue.dead_letter(token, _reason(state.error))
                return Rejected()
            case _:  # released, or settled without an outcome
                self._queue.release(token)
                return Released()
        return state

    def on_detach(self) -> None:
        self._queue.remove_consumer(self)


class SessionReceiver(QueueReceiver):
    """The consumer of one session: a named one, or the next that is available."""

    def __init__(self, scheduler: Scheduler, link: Link, queue: Queue) -> None:
        super().__init__(scheduler, link, queue)
        self._session: Session | None = None
        self._timer: Timer | None = None

    @property
    def _sessions(self) -> SessionTable:
        if self._queue.sessions is None:
            raise not_allowed(
                "A sessionful message receiver cannot be created on an entity that does not require sessions."
            )
        return self._queue.sessions

    def open(self) -> None:
        """Accepts the attach at once for a named session; for the next available one as soon as there is one."""
        wanted = session_filter(self._link)
        if wanted is not None:
            self.accept(self._sessions.get(wanted))
            return
        self._sessions.wait(self)
        wait = self._link.remote_properties.get("com.microsoft:timeout")
        milliseconds = wait if isinstance(wait, int) else _DEFAULT_WAIT_MS
        self._timer = self._scheduler.later(milliseconds / 1000, self._give_up)

    def accept(self, session: Session) -> None:
        """Locks the session and answers the attach with its id and the end of its lock."""
        self._sessions.accept(session, self)
        self._session = session
        self._stop_timer()
        source = self._link.source or Source()
        source.filter = {Symbol(SESSION_FILTER): session.id}
        until = session.locked_until * 10_000 + _TICKS_AT_1970
        self._link.accept(source=source, properties={"com.microsoft:locked-until-utc": until})

    def _give_up(self) -> None:
        self._sessions.stop_waiting(self)
        self._link.refuse(
            "com.microsoft:timeout",
            "The operation did not complete within the allotted timeout. The time allotted to this operation may have "
            "been a portion of a longer timeout.",
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def wants(self) -> bool:
        return self._session is not None and super().wants()

    def _wake(self) -> None:
        if self._session is not None:
            self._sessions.wake(self._session)

    def session_lost(self) -> None:
        self._session = None
        error = session_lock_lost()
        self._scheduler.later(_GRACE_SECONDS, lambda: self._link.detach(Error(error.condition, error.description)))

    def on_detach(self) -> None:
        self._stop_timer()
        self._sessions.stop_waiting(self)
        if self._session is not None:
            self._sessions.free(self._session, counted=False)
            self._session = None


def has_session_filter(link: Link) -> bool:
    """Whether the attach asks for a session."""
    return link.source is not None and SESSION_FILTER in (link.source.filter or {})


def session_filter(link: Link) -> str | None:
    """The session that the attach asks for; None: the next available."""
    wanted = (link.source.filter or {})[SESSION_FILTER] if link.source is not None else None
    wanted = wanted.value if isinstance(wanted, Described) else wanted
    return None if wanted is None else str(wanted)


def _reason(error: Error | None) -> DeadLetterReason:
    """Reason and description from the rejection's info map; its other entries become properties as they are."""
    info = {str(key): value for key, value in ((error.info if error else None) or {}).items()}
    return DeadLetterReason(info.pop("DeadLetterReason", None), info.pop("DeadLetterErrorDescription", None), info)
