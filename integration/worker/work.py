"""What a handler is given to work with: the event, the effects of its record, and those of other records."""

from datetime import datetime

from integration.clock import Clock
from integration.errors import Permanent
from integration.events import IntegrationEvent
from integration.ledger import Ledger, Memory, Record, Step
from integration.telemetry import get_logger
from integration.transport import CallContext
from integration.transport.detailed_calls import calls_of_attempt
from integration.worker.effects import Effects, Trace
from integration.worker.pace import Pace

_log = get_logger(__name__)


class Work:
    """One event in a handler's hands; `row_version` is the version of its row, once that was read or written."""

    def __init__(
        self, event: IntegrationEvent, record: Record, ledger: Ledger, clock: Clock, *, pace: Pace, deadline: float
    ) -> None:
        self.event = event
        self.record = record
        self.trace = Trace()
        self.row_version = 0
        self.behind = ""
        self.context = CallContext.of(event, deadline=deadline, calls=calls_of_attempt())
        self.effects = Effects(event, record, clock, self.trace, before=lambda: pace.check(event.session_id))
        self._ledger = ledger
        self._clock = clock

    @property
    def record_id(self) -> str:
        """The event's record; raises `Permanent` (record-missing) where it names none."""
        if self.event.record_id is None:
            raise Permanent(f"{self.event.message} of {self.event.table} names no record", reason="record-missing")
        return self.event.record_id

    @property
    def memory(self) -> Memory:
        """What is remembered of the event's record."""
        return self.record.memory

    @property
    def now(self) -> datetime:
        """The current time."""
        return self._clock.now()

    async def effects_of(self, table: str, record_id: str) -> Effects:
        """The effects of another record, as a guest: an invocation that works on that record keeps its claim."""
        record = await self._ledger.record(f"{table}:{record_id}", guest=True)
        return Effects(self.event, record, self._clock, self.trace)

    def done(self, name: str, detail: str) -> None:
        """Show people a step that needs no memory, as doing it again does no harm (a write-back)."""
        self.trace.drove = True
        self.trace.steps[name] = Step(name, "done", self._clock.now(), detail)

    def compare_versions(self, service: str, *, remembered: int | None, replaced: int | None) -> None:
        """Notice where a system held an older state than the one it has confirmed: it was restored from a copy.

        What this event brings is right again; the records that nobody touches are not (docs/explanation/decisions.md).
        """
        if remembered is not None and not self.event.forced and (replaced is None or replaced < remembered):
            self.behind = service
            _log.error("system-behind", event=self.event, service=service)

    def expect_unknown(self, service: str, number: str | None) -> None:
        """A system says that it does not know what it has confirmed before under `number`: raises `Permanent`."""
        if number and not self.event.forced:
            raise Permanent(
                f"the {service} does not know {number}, which it has confirmed before: if it was restored from an "
                "older copy, send its records again (POST /api/operations/resync); a "
                "forced retry of this event takes its word",
                reason=f"{service}-behind",
                service=service,
            )
