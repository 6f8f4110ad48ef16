"""From a message of the work queue to a settled event.

read envelope ── unreadable ──> verdict ──> raise
  │
ledger: condemned before? ──> tell who was not told yet, raise again
  │     settled before?   ──> done: a duplicate
  │
handler ── none ──> no-handler
  │  ├── Transient ──> scheduled copy, later (or, exhausted, a verdict)
  │  └── Permanent ──> verdict ──> raise: the message reaches the dead-letter queue
  │
publish to the hub, settle in the ledger
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

from integration.clock import Clock
from integration.coalescing import settled
from integration.errors import IntegrationError, Permanent, Stale, Transient, Unreadable
from integration.events import IntegrationEvent, from_envelope
from integration.ledger import Entry, Ledger, State
from integration.messaging import EventPublisher
from integration.telemetry import get_logger
from integration.worker.handlers.handler import Outcome
from integration.worker.registry import Handlers
from integration.worker.retry_later import RetryLater
from integration.worker.settled import settled_event
from integration.worker.work import Work

_PUBLISH_SECONDS = 40.0
_log = get_logger(__name__)


class Condemned(IntegrationError):
    """Raised to the host so that the message goes on to the dead-letter queue; the ledger holds why."""

    reason = "condemned"


class Worker:
    """Handles messages of the work queue; one call per message, from many threads."""

    def __init__(
        self,
        handlers: Handlers,
        ledger: Ledger,
        publisher: EventPublisher,
        retry_later: RetryLater,
        clock: Clock,
    ) -> None:
        self._handlers = handlers
        self._ledger = ledger
        self._publisher = publisher
        self._retry_later = retry_later
        self._clock = clock

    def handle(self, body: bytes) -> None:
        """Work on one message. Returns when it may be completed; raises `Condemned` when it must not be."""
        started = self._clock.monotonic()
        try:
            event = from_envelope(body)
        except Unreadable as error:
            self._condemn_unreadable(body, error)
        try:
            entry = self._ledger.open(event)
        except Transient as error:
            self._try_later(event, None, error)
        except Exception as error:  # noqa: BLE001 -- see _work_on
            self._condemn(event, None, error)
        else:
            if entry.state is State.DEAD_LETTERED:
                self._tell(event, entry, entry.reason or "", entry.detail or "")
            elif entry.state.final:
                _log.info("duplicate", event=event, state=entry.state.value)
            else:
                self._work_on(event, entry, started)

    def _work_on(self, event: IntegrationEvent, entry: Entry, started: float) -> None:
        try:
            outcome = self._outcome(event, entry)
            self._settle(event, entry, outcome)
        except Transient as error:
            self._try_later(event, entry, error)
        except Exception as error:  # noqa: BLE001 -- a defect of ours is a verdict too: nothing may vanish unexplained
            self._condemn(event, entry, error)
        else:
            elapsed = (self._clock.monotonic() - started) * 1000
            _log.info("settled", event=event, state=outcome.state.value, duration_ms=elapsed)

    def _outcome(self, event: IntegrationEvent, entry: Entry) -> Outcome:
        handler = self._handlers.of(event)
        if handler is None:
            return Outcome(State.NO_HANDLER, f"nothing handles {event.message} of {event.table}: analytics only")
        try:
            return handler.handle(Work(event, entry))
        except Stale as error:
            return Outcome.superseded(str(error))

    def _settle(self, event: IntegrationEvent, entry: Entry, outcome: Outcome) -> None:
        self._publish(event, entry, outcome.state, reason=None, detail=outcome.detail)
        entry.settle(outcome.state, detail=outcome.detail)

    def _publish(
        self, event: IntegrationEvent, entry: Entry, state: State, *, reason: str | None, detail: str | None
    ) -> None:
        body = settled_event(event, entry, state, at=self._clock.now(), reason=reason, detail=detail)
        settled(self._publisher.publish(event.session_id, body), _PUBLISH_SECONDS, "event hub")

    def _try_later(self, event: IntegrationEvent, entry: Entry | None, error: Transient) -> None:
        try:
            due = self._retry_later.schedule(event, entry, error)
        except Permanent as given_up:
            self._condemn(event, entry, given_up)
        else:
            _log.warning("retry-scheduled", event=event, error=error, due=due)

    def _condemn(self, event: IntegrationEvent, entry: Entry | None, error: Exception) -> None:
        """Write the verdict down, tell the row and analytics, and raise.

        Where the ledger is away, a copy is scheduled instead: a dead letter without its reason would help nobody.
        """
        reason, detail = _verdict(error)
        try:
            entry = entry or self._ledger.open(event)
            entry.condemn(reason=reason, detail=detail)
        except Transient as away:
            _log.error("verdict-not-written", event=event, reason=reason, error=error)
            self._retry_later.schedule(event, None, away)
            return
        _log.error("condemned", event=event, reason=reason, error=error)
        self._tell(event, entry, reason, detail)

    def _tell(self, event: IntegrationEvent, entry: Entry, reason: str, detail: str) -> None:
        """Tell of a verdict whoever was not told yet, and raise `Condemned`.

        Who cannot be told now is told by a scheduled copy, which then goes to the dead-letter queue in place of this
        message. The verdict stands, also where somebody can never be told.
        """
        late = self._told(event, entry, "mark-failed", lambda: self._mark_failed(event, reason))
        late = (
            self._told(
                event,
                entry,
                "publish",
                lambda: self._publish(event, entry, State.DEAD_LETTERED, reason=reason, detail=detail),
            )
            or late
        )
        if late is not None:
            with suppress(Permanent):
                self._retry_later.schedule(event, None, late)
                _log.warning("told-later", event=event, error=late)
                return
        raise Condemned(f"event {event.event_id}: {reason}")

    def _mark_failed(self, event: IntegrationEvent, reason: str) -> None:
        if handler := self._handlers.of(event):
            handler.condemned(event, reason)

    @staticmethod
    def _told(event: IntegrationEvent, entry: Entry, how: str, do: Callable[[], None]) -> Transient | None:
        """Tell unless it was told before; why it could not be, where that may pass."""
        if entry.done(how, ""):
            return None
        try:
            do()
            entry.finish(how, "", {})
        except Transient as away:
            return away
        except Exception as error:  # noqa: BLE001 -- a row that is gone, say: the verdict stands
            _log.warning("not-told", event=event, error=error)
        return None

    def _condemn_unreadable(self, body: bytes, error: Unreadable) -> NoReturn:
        """A message that is none of ours gets a verdict under a name made from its bytes."""
        event_id = f"unreadable-{hashlib.sha256(body).hexdigest()[:32]}"
        nobody = _unreadable_event(event_id, self._clock.now())
        with suppress(Transient):
            entry = self._ledger.open(nobody)
            if entry.state is not State.DEAD_LETTERED:
                entry.condemn(reason=error.reason, detail=str(error))
                _log.error("condemned", event=nobody, reason=error.reason, error=error)
        raise Condemned(f"{event_id}: {error}") from error


def _verdict(error: Exception) -> tuple[str, str]:
    """Reason and description. The message of an unforeseen error may hold data, so only its type is kept."""
    if isinstance(error, IntegrationError):
        return error.reason, str(error)
    return "unexpected-error", f"{type(error).__name__}: a defect; the log of this event has the trace"


def _unreadable_event(event_id: str, now: datetime) -> IntegrationEvent:
    return IntegrationEvent(
        event_id=event_id,
        table="",
        message="",
        record_id=None,
        organisation="",
        correlation_id=event_id,
        operation_time=now.astimezone(UTC),
        accepted_time=now,
        user_id=None,
        initiating_user_id=None,
    )
