"""The one place that carries decisions out."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from integration.claim_check import ClaimCheck
from integration.clock import Clock, iso
from integration.errors import Fenced, IntegrationError, Transient, Unreadable
from integration.events import IntegrationEvent
from integration.events.identity import unreadable_id
from integration.events.model import nobodys_event
from integration.ledger import DeadLetter, Ledger, Memory, State, Step, keys, rows
from integration.telemetry import detailed_event, get_logger, metrics
from integration.transport.detailed_calls import DetailedCalls
from integration.worker.copies import Copies
from integration.worker.decision import Decision, Duplicate, PassOn, RetryAt, Settle, ToDeadLetter, Withdraw
from integration.worker.handler import EventHandler
from integration.worker.reports import Reports
from integration.worker.work import Work

_log = get_logger(__name__)


_PUBLISHED = frozenset(state for state in State if state.settled) | {State.RESOLVED}
"""States that are published when the message of an ended event comes again; dead letters are published elsewhere."""


class DeadLettered(IntegrationError):
    """Raised to the host so that the message goes on to the dead-letter queue; the ledger holds why."""

    reason = "dead-lettered"


class Executor:
    """Carries out what was decided about an event.

    `DeadLettered` is raised without its cause: the host logs the whole chain of exceptions, and what others raise may
    quote column values. Our own log has type, reason and place. `keeps_exchanges`: what was sent to other systems and
    what came back is kept of attempts that fail.
    """

    def __init__(
        self,
        ledger: Ledger,
        copies: Copies,
        reports: Reports,
        claim_check: ClaimCheck,
        clock: Clock,
        *,
        keeps_exchanges: bool = True,
    ) -> None:
        self._ledger = ledger
        self._claim_check = claim_check
        self._copies = copies
        self._reports = reports
        self._clock = clock
        self._keeps_exchanges = keeps_exchanges

    async def carry_out(
        self, decision: Decision, event: IntegrationEvent, work: Work | None, handler: EventHandler | None
    ) -> None:
        """Do what was decided. Returns when the message may be completed; raises `DeadLettered`, `Fenced`, or
        `Transient` (the queue takes no copy) when it must come back.
        """  # noqa: D205 -- one thought
        match decision:
            case Settle():
                if await self._settle(decision, event, work, handler):
                    await self._claim_check.forget(event)
            case Duplicate():
                await self._end_duplicate(decision, event, work, handler)
                await self._claim_check.forget(event)
            case RetryAt():
                await self._retry(decision, event, work)
            case ToDeadLetter():
                await self._dead_letter(decision, event, work, handler)
            case Withdraw():
                self._withdraw(event)

    async def pass_on(self, arrived: PassOn, event: IntegrationEvent, work: Work, handler: EventHandler | None) -> None:
        """A message on its way to the dead-letter queue: report what is not reported yet, and let it go on."""
        if not arrived.letter.reported:  # whoever dead-lettered it may have died before it could show why
            await self._show_dead_letter(event, arrived.letter, rows.steps_of(work.memory, event.event_id))
        if await self._report(arrived.letter, event, work, handler, returns=arrived.letter.returns + 1):
            raise DeadLettered(f"event {event.event_id}: {arrived.letter.reason}") from None

    async def publish_again(self, event: IntegrationEvent) -> None:
        """An event that has ended and that the hub has not taken yet."""
        if await self._reports.publish_again(event):
            partition, row = keys.event_keys(event.event_id)
            now = iso(self._clock.now())
            self._ledger.status.put({"PartitionKey": partition, "RowKey": row, "publishedTime": now})
            _log.info("published", event=event)

    async def unreadable(self, body: bytes, error: Unreadable) -> NoReturn:
        """A message that is none of ours is shown under a name made from its bytes, and dead-lettered."""
        event_id = unreadable_id(body)
        nobody = nobodys_event(event_id, self._clock.now())
        metrics.SETTLED.add(State.DEAD_LETTERED.value)
        _log.error("dead-lettered", event=nobody, reason=error.reason, error=error)
        await self._show_dead_letter(nobody, DeadLetter(error.reason, str(error), nobody.accepted_time.isoformat()), ())
        raise DeadLettered(f"{event_id}: {error.reason}") from None

    async def _settle(
        self, decision: Settle, event: IntegrationEvent, work: Work | None, handler: EventHandler | None
    ) -> bool:
        """Settle first, then publish: analytics that are away cost no second look at the row.

        Returns whether the event has ended; if that cannot be written down, a copy ends it later.
        """
        overcome: dict[str, DeadLetter] = {}
        waited = event.attempt > 1
        if work is not None:
            waited = waited or work.memory.waiting == event.event_id
            month = keys.month_at(self._clock.now())
            letters = work.memory.dead_letters.items()
            overcome = {name: letter for name, letter in letters if name == event.event_id or decision.agrees}
            try:
                await work.record.write(lambda memory: _end(memory, decision, event, work.row_version, overcome, month))
            except Fenced:
                self._withdraw(event)
            except Transient as error:
                await self._try_settling_later(event, error)
                return False
            if (ended := work.memory.recent[event.event_id]) is not decision.state:
                await self._ledger.status.flushed(rows.again(event, ended, work.memory))
                _log.info("duplicate", event=event, state=ended.value)
                return True
        published = await self._reports.publish(event, handler, decision.state, work.memory if work else None)
        self._show_overcome(event, overcome)
        await self._show_settled(decision, event, work, published=published, waited=waited)
        metrics.SETTLED.add(decision.state.value)
        _log.info("settled", event=event, state=decision.state.value)
        return True

    async def _show_settled(
        self, decision: Settle, event: IntegrationEvent, work: Work | None, *, published: bool, waited: bool
    ) -> None:
        """Wait for the row: once the message is completed, nobody would write what a killed process has lost."""
        now, status = self._clock.now(), self._ledger.status
        steps = tuple(work.trace.steps.values()) if work is not None else ()
        if waited:
            status.clear_problem(State.WAITING.value, event.event_id)
        if work is not None and work.behind:
            status.put_problem(rows.behind_row(event, work.behind, now))
        await status.flushed(
            rows.ended(event, decision.state, now=now, steps=steps, detail=decision.detail, published=published)
        )

    def _show_overcome(self, event: IntegrationEvent, overcome: Mapping[str, DeadLetter]) -> None:
        """Dead letters for which this event makes up: those of its record, and the one that it repeats."""
        status = self._ledger.status
        for event_id in {*overcome, *filter(None, [event.replay_of])}:
            status.clear_problem(State.DEAD_LETTERED.value, event_id)
            if event_id != event.event_id:
                letter = overcome.get(event_id)
                status.put(rows.resolved(event_id, by=event.event_id, now=self._clock.now(), letter=letter))
                _log.info("resolved", event=event, resolved=event_id)

    async def _try_settling_later(self, event: IntegrationEvent, error: Transient) -> None:
        """The effects are done, but this cannot be written down: a copy repeats them under the same keys, and ends."""
        metrics.RETRIES.add(error.reason)
        _log.warning("retry-scheduled", event=event, error=error)
        await self._copies.send(event, self._copies.later(event.attempt))

    async def _end_duplicate(
        self, decision: Duplicate, event: IntegrationEvent, work: Work | None, handler: EventHandler | None
    ) -> None:
        if work is not None and decision.acted:
            try:
                await work.record.write(
                    lambda memory: memory.act(event.event_id, event.operation_time, work.row_version)
                )
            except Fenced:
                self._withdraw(event)
        published = self._reports.is_published(event.event_id)
        if work is not None and decision.state in _PUBLISHED and not (published and event.attempt == 1):
            # Whoever ended it may have died before it could say so; whoever scheduled a copy has said that it waits.
            if not published:
                published = await self._reports.publish(event, handler, decision.state, work.memory)
            now = self._clock.now()
            self._ledger.status.clear_problem(State.WAITING.value, event.event_id)
            row = rows.again(event, decision.state, work.memory, published=now if published else None)
            await self._ledger.status.flushed(row)
        _log.info("duplicate", event=event, state=decision.state.value)

    async def _retry(self, decision: RetryAt, event: IntegrationEvent, work: Work | None) -> None:
        error = decision.error
        self._keep_exchanges(event, work, error)
        if work is not None:
            try:
                await work.record.write(lambda memory: setattr(memory, "waiting", event.event_id))
            except Fenced:
                self._withdraw(event)
            except Transient:
                _log.warning("ledger-behind", event=event, error=error)  # the copy says enough
        if work is not None and not decision.known:  # without the record nobody knows whether it has ended
            await self._show_waiting(decision, event, work)
        copy = dataclasses.replace(event, first_failed_at=decision.first_failed_at)
        await self._copies.send(copy, decision.due)
        metrics.RETRIES.add(error.reason)
        _log.warning("retry-scheduled", event=event, error=error, due=decision.due)

    async def _show_waiting(self, decision: RetryAt, event: IntegrationEvent, work: Work) -> None:
        error, now = decision.error, self._clock.now()
        steps = tuple(work.trace.steps.values())
        row = rows.ended(
            event,
            State.WAITING,
            now=now,
            steps=steps,
            reason=error.reason,
            detail=str(error),
            system=error.service or "",
            next_attempt=decision.due,
        )
        self._ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(event.first_failed_at or now)))
        await self._ledger.status.flushed(row)

    async def _dead_letter(
        self, decision: ToDeadLetter, event: IntegrationEvent, work: Work | None, handler: EventHandler | None
    ) -> None:
        letter = DeadLetter(decision.reason, decision.detail, self._clock.now().isoformat())
        if work is None or not await self._bury(event, work, letter):
            # A dead letter without its reason would help nobody: a copy finds out again, and writes it down then.
            _log.error("dead-letter-not-written", event=event, reason=decision.reason, error=decision.error)
            await self._copies.send(event, self._clock.now() + self._copies.policy.cap)
            return
        if ended := work.memory.recent.get(event.event_id):
            _log.info("duplicate", event=event, state=ended.value)
            return
        metrics.SETTLED.add(State.DEAD_LETTERED.value)
        _log.error("dead-lettered", event=event, reason=decision.reason, error=decision.error)
        self._keep_exchanges(event, work, decision.error)
        await self._show_dead_letter(event, letter, tuple(work.trace.steps.values()), decision.error)
        if await self._report(letter, event, work, handler, returns=0):
            raise DeadLettered(f"event {event.event_id}: {decision.reason}") from None

    async def _show_dead_letter(
        self, event: IntegrationEvent, letter: DeadLetter, steps: Sequence[Step], error: Exception | None = None
    ) -> None:
        now = self._clock.now()
        row = rows.ended(
            event,
            State.DEAD_LETTERED,
            now=now,
            steps=steps,
            reason=letter.reason,
            detail=letter.detail,
            system=getattr(error, "service", None) or "",
        )
        self._ledger.status.clear_problem(State.WAITING.value, event.event_id)
        self._ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(now)))
        await self._ledger.status.flushed(row)

    async def _report(
        self, letter: DeadLetter, event: IntegrationEvent, work: Work, handler: EventHandler | None, *, returns: int
    ) -> bool:
        """Mark the row and publish, where that is not done yet; returns whether the message may go on.

        If one of the two is not possible now, a copy does it later, and goes to the dead-letter queue instead.
        """
        reported = await self._reports.dead_letter(event, handler, letter, work.memory)
        known = dataclasses.replace(letter, reported=reported.where, returns=0 if reported.late else returns)
        await self._bury(event, work, known, shown=reported.row_version)
        if reported.late is None:
            return True
        _log.warning("reported-later", event=event, error=reported.late)
        await self._copies.send(event, self._copies.later(event.attempt))
        return False

    async def _bury(self, event: IntegrationEvent, work: Work, letter: DeadLetter, *, shown: int = 0) -> bool:
        """Write the dead letter into the record, unless the event has come to its end meanwhile.

        False where the ledger is away.
        """

        def bury(memory: Memory) -> None:
            if event.event_id not in memory.recent:
                memory.bury(event.event_id, letter)
            memory.shown = max(memory.shown, shown)

        try:
            await work.record.write(bury)
        except Fenced:
            self._withdraw(event)
        except Transient as error:
            _log.warning("ledger-behind", event=event, error=error)
            return False
        return True

    def _keep_exchanges(self, event: IntegrationEvent, work: Work | None, error: Exception) -> None:
        """What was sent and what came back, where a system has to do with the failure."""
        calls = work.context.calls.noted if work is not None and work.context.calls is not None else ()
        if detailed_event() is not None:
            return  # all of them are kept
        concerned = getattr(error, "service", None) or not isinstance(error, Transient)
        if self._keeps_exchanges and calls and (concerned or any(it.failed for it in calls)):
            self._ledger.exchanges.keep(event, calls)

    def keep_detail(self, event: IntegrationEvent, work: Work | None) -> None:
        """Where debug detail is on, what was sent and what came back is kept of every attempt, whatever came of it."""
        calls = work.context.calls if work is not None else None
        if self._keeps_exchanges and isinstance(calls, DetailedCalls) and calls.noted:
            self._ledger.exchanges.keep(event, calls.noted)

    @staticmethod
    def _withdraw(event: IntegrationEvent) -> NoReturn:
        _log.warning("fenced", event=event)
        raise Fenced(f"event {event.event_id}: another invocation works on its record") from None


def _end(  # noqa: PLR0917 -- called once, above
    memory: Memory,
    decision: Settle,
    event: IntegrationEvent,
    row_version: int,
    overcome: Iterable[str],
    month: str,
) -> None:
    """What a record remembers of an event that ended; if another invocation has ended it already, that state stays."""
    state = memory.recent.get(event.event_id, decision.state)
    if decision.acted:
        memory.act(event.event_id, event.operation_time, row_version)
    if decision.deleted:
        memory.deleted, memory.seen = month, 0
    elif decision.agrees:
        memory.deleted, memory.seen = "", row_version or memory.seen
    for event_id in overcome:
        memory.end(event_id, State.RESOLVED)
    memory.end(event.event_id, state)
