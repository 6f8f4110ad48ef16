"""From a message of the work queue to a settled event.

read envelope ── unreadable ──> verdict
  │
ledger: condemned before? ──> tell who was not told yet, on to the dead-letter queue
  │     settled before?   ──> done: a duplicate
  │
handler ── none ──> no-handler
  │  ├── Transient ──> scheduled copy, later (or, given up, a verdict)
  │  └── Permanent ──> verdict: the message goes on to the dead-letter queue
  │
publish to the hub, settle in the ledger
"""

from integration.clock import Clock
from integration.errors import Permanent, Stale, Transient, Unreadable
from integration.events import IntegrationEvent, from_envelope
from integration.ledger import Entry, Ledger, State
from integration.telemetry import get_logger
from integration.worker.handler import Outcome
from integration.worker.registry import Handlers
from integration.worker.retry_later import RetryLater
from integration.worker.settled import SettledEvents
from integration.worker.verdicts import Condemned, Verdicts
from integration.worker.work import Work

_log = get_logger(__name__)


class Worker:
    """Handles messages of the work queue; one call per message, from many threads."""

    def __init__(
        self,
        *,
        handlers: Handlers,
        ledger: Ledger,
        settled_events: SettledEvents,
        retry_later: RetryLater,
        verdicts: Verdicts,
        clock: Clock,
    ) -> None:
        self._handlers = handlers
        self._ledger = ledger
        self._settled_events = settled_events
        self._retry_later = retry_later
        self._verdicts = verdicts
        self._clock = clock

    def handle(self, body: bytes) -> None:
        """Work on one message. Returns when it may be completed; raises `Condemned` when it must not be."""
        started = self._clock.monotonic()
        try:
            event = from_envelope(body)
        except Unreadable as error:
            self._verdicts.condemn_unreadable(body, error)
        entry: Entry | None = None
        outcome: Outcome | None = None
        try:
            entry = self._ledger.open(event)
            if entry.state.final:
                self._again(event, entry)
                return
            outcome = self._outcome(event, entry)
            self._settled_events.publish(event, entry, outcome.state, detail=outcome.detail)
            entry.settle(outcome.state, detail=outcome.detail)
        except Transient as error:
            self._try_later(event, entry, outcome, error)
        except Condemned:
            raise
        except Exception as error:  # noqa: BLE001 -- a defect of ours is a verdict too: nothing may vanish unexplained
            self._verdicts.condemn(event, entry, error)
        else:
            elapsed = (self._clock.monotonic() - started) * 1000
            _log.info("settled", event=event, state=outcome.state.value, duration_ms=elapsed)

    def _again(self, event: IntegrationEvent, entry: Entry) -> None:
        """The event has ended before."""
        if entry.state is State.DEAD_LETTERED:
            self._verdicts.tell(event, entry)
        _log.info("duplicate", event=event, state=entry.state.value)

    def _outcome(self, event: IntegrationEvent, entry: Entry) -> Outcome:
        handler = self._handlers.of(event)
        if handler is None:
            return Outcome(State.NO_HANDLER, f"nothing handles {event.message} of {event.table}: analytics only")
        try:
            return handler.handle(Work(event, entry))
        except Stale as error:
            return Outcome.superseded(str(error))

    def _try_later(
        self, event: IntegrationEvent, entry: Entry | None, outcome: Outcome | None, error: Transient
    ) -> None:
        try:
            due = self._retry_later.schedule(event, entry, error)
        except Permanent as given_up:
            if entry is None or outcome is None:
                self._verdicts.condemn(event, entry, given_up)
            else:
                self._settle_unpublished(event, entry, outcome, error)
        else:
            _log.warning("retry-scheduled", event=event, error=error, due=due)

    def _settle_unpublished(self, event: IntegrationEvent, entry: Entry, outcome: Outcome, error: Transient) -> None:
        """All was done and analytics could not be told, as often as it was tried: that is no dead letter."""
        _log.error("not-published", event=event, error=error)
        try:
            entry.settle(outcome.state, detail=outcome.detail)
        except Transient:
            self._retry_later.postpone(event)
