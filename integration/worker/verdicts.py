"""Verdicts: why an event is in the dead-letter queue, written down before it goes there."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

from integration.clock import Clock
from integration.errors import IntegrationError, Permanent, Transient, Unreadable
from integration.events import IntegrationEvent
from integration.ledger import Entry, Ledger, State
from integration.telemetry import get_logger
from integration.worker.registry import Handlers
from integration.worker.retry_later import RetryLater
from integration.worker.settled import SettledEvents

_log = get_logger(__name__)


class Condemned(IntegrationError):
    """Raised to the host so that the message goes on to the dead-letter queue; the ledger holds why."""

    reason = "condemned"


class Verdicts:
    """Condemns events.

    `Condemned` is raised without its cause: the host logs the whole chain of exceptions, and what others raise may
    quote column values. Our own log has type, reason and place.
    """

    def __init__(
        self,
        *,
        handlers: Handlers,
        ledger: Ledger,
        settled_events: SettledEvents,
        retry_later: RetryLater,
        clock: Clock,
    ) -> None:
        self._handlers = handlers
        self._ledger = ledger
        self._settled_events = settled_events
        self._retry_later = retry_later
        self._clock = clock

    def condemn(self, event: IntegrationEvent, entry: Entry | None, error: Exception) -> None:
        """Write the verdict down, tell row and analytics, raise `Condemned`.

        Where the ledger is away, a copy is scheduled instead: a dead letter without its reason would help nobody.
        """
        reason, detail = _explained(error)
        try:
            entry = entry or self._ledger.open(event)
            entry.condemn(reason=reason, detail=detail)
        except Transient:
            _log.error("verdict-not-written", event=event, reason=reason, error=error)
            self._retry_later.postpone(event)
            return
        _log.error("condemned", event=event, reason=reason, error=error)
        self.tell(event, entry)

    def tell(self, event: IntegrationEvent, entry: Entry) -> None:
        """Tell of the verdict in `entry` whoever was not told yet, and raise `Condemned`.

        Who cannot be told now is told by a scheduled copy, which then goes to the dead-letter queue in place of this
        message. The verdict stands, also where somebody can never be told.
        """
        reason = entry.reason or ""
        late = [
            self._told(event, entry, "mark-failed", lambda: self._mark_failed(event, reason)),
            self._told(
                event,
                entry,
                "publish",
                lambda: self._settled_events.publish(
                    event, entry, State.DEAD_LETTERED, reason=reason, detail=entry.detail
                ),
            ),
        ]
        for error in filter(None, late):
            with suppress(Permanent):
                self._retry_later.schedule(event, None, error)
                _log.warning("told-later", event=event, error=error)
                return
        raise Condemned(f"event {event.event_id}: {reason}") from None

    def condemn_unreadable(self, body: bytes, error: Unreadable) -> NoReturn:
        """A message that is none of ours gets a verdict under a name made from its bytes; raises `Condemned`."""
        event_id = f"unreadable-{hashlib.sha256(body).hexdigest()[:32]}"
        nobody = _unreadable_event(event_id, self._clock.now())
        with suppress(Transient):
            entry = self._ledger.open(nobody)
            if entry.state is not State.DEAD_LETTERED:
                entry.condemn(reason=error.reason, detail=str(error))
                _log.error("condemned", event=nobody, reason=error.reason, error=error)
        raise Condemned(f"{event_id}: {error.reason}") from None

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


def _explained(error: Exception) -> tuple[str, str]:
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
