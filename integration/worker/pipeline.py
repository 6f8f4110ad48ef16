"""From a message of the work queue to a decision that is carried out.

read envelope ── unreadable ──> dead letter
  │     ended, only to be published ──> publish
  │
record of the ledger: one point read ── dead-lettered before ──> on to the dead-letter queue
  │     made for a version of the row that was seen ──> settle
  │
held back by somebody ──> retry later
  │
what it carries, where that is kept in Blob Storage
  │
row of Dataverse, or record of another system ──> handler, until the row holds still
  │
decide (pure) ──> carry out: settle and publish · retry later · dead letter · duplicate · withdraw
"""

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Final

from integration.claim_check import ClaimCheck
from integration.clock import Clock
from integration.dataverse import Row, version_of
from integration.errors import Conflict, NotFound, Stale, Transient, Unreadable
from integration.events import IntegrationEvent, from_envelope
from integration.events.trace_state import marked
from integration.ledger import Ledger, State
from integration.ledger.rows import started as started_row
from integration.protection import DebugDetail
from integration.telemetry import detailed, detailed_event, get_logger, recordings, spans
from integration.telemetry.spans import Recording
from integration.worker.ahead import ahead
from integration.worker.commit import waits_for_commit
from integration.worker.copies import Copies
from integration.worker.decision import (
    Decision,
    Done,
    Duplicate,
    Failed,
    Report,
    RetryAt,
    Settle,
    ToDeadLetter,
    Withdraw,
    decide,
    ended_as,
    on_arrival,
)
from integration.worker.executor import Executor
from integration.worker.handler import AnyHandler, Handler, InboundHandler
from integration.worker.holds import Holds
from integration.worker.pace import Pace, TooSoon
from integration.worker.reading import Rows
from integration.worker.registry import Handlers
from integration.worker.work import Work

_ROUNDS: Final = 5
_LOOK_AGAIN_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 3.0
"""Most transactions are committed within moments: so long an attempt waits for one itself, then a copy does."""
_DECIDED: Final = {
    Settle: "settle",
    Duplicate: "duplicate",
    RetryAt: "retry",
    ToDeadLetter: "dead-letter",
    Withdraw: "withdraw",
}
_log = get_logger(__name__)


class Worker:
    """Handles messages of the work queue, many at a time on one event loop.

    `deadline_seconds` is what all calls for one event may take together; with the time for which a copy may be held
    (`copies`), it stays under the host's functionTimeout of five minutes. `prepare` is called for every message, and
    begins what takes long the first time and is needed only at the end.
    """

    def __init__(
        self,
        *,
        handlers: Handlers,
        rows: Rows,
        ledger: Ledger,
        executor: Executor,
        copies: Copies,
        claim_check: ClaimCheck,
        holds: Holds,
        pace: Pace,
        clock: Clock,
        commit_wait: timedelta = timedelta(seconds=150),
        deadline_seconds: float = 150.0,
        detail: DebugDetail | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._handlers = handlers
        self._rows = rows
        self._ledger = ledger
        self._executor = executor
        self._copies = copies
        self._claim_check = claim_check
        self._holds = holds
        self._pace = pace
        self._clock = clock
        self._commit_wait = commit_wait
        self._deadline_seconds = deadline_seconds
        self._detail = detail or DebugDetail.of_nothing(clock)
        self._prepare = prepare

    async def handle(self, body: bytes) -> None:
        """Work on one message. Returns when it may be completed; raises what `Executor.carry_out` does."""
        started = self._clock.monotonic()
        self._prepare()
        try:
            event = from_envelope(body)
        except Unreadable as error:
            await self._executor.unreadable(body, error)
        await self._detail.keep_up()
        until = self._detail.until(event.correlation_id)
        began = spans.ago(self._clock.monotonic() - started)
        recording = recordings.of_attempt(event, self._copies.queue_name, started=began, wanted=until is not None)
        if (state := marked(event.tracestate, until)) != event.tracestate:
            event = dataclasses.replace(event, tracestate=state)
        with detailed(event) if until else nullcontext(), spans.recorded(recording):
            await self._work_on(event, started, recording)

    async def _work_on(self, event: IntegrationEvent, started: float, recording: Recording | None) -> None:
        if event.settled is not None:
            await self._executor.publish_again(event)
            return
        self._ledger.status.put_places(event)
        handler = self._handlers.of(event)
        work: Work | None = None
        report: Report
        if handler is None:
            report = Done(State.NO_HANDLER, f"nothing handles {event.message} of {event.table}: analytics only")
        else:
            try:
                work = await self._open(event, started + self._deadline_seconds)
                _detail_memory(work)
            except Exception as error:  # noqa: BLE001 -- a defect is explained too: nothing may vanish
                report = Failed(error)
            else:
                if arrived := on_arrival(work.memory, event):
                    _note(recording, State.DEAD_LETTERED, arrived.letter.reason)
                    await self._executor.pass_on(arrived, event, work, handler)
                    return
                self._ledger.status.put(started_row(event, (), self._clock.now()))
                report = _seen(work) or await self._attempt(handler, work)
        decision = decide(
            work.memory if work else None,
            event,
            report,
            now=self._clock.now(),
            policy=self._copies.policy,
            draw=self._copies.draw,
        )
        _note(recording, *ended_as(decision))
        _detail_decision(decision)
        try:
            await self._executor.carry_out(decision, event, work, handler)
        finally:
            self._executor.keep_detail(event, work)
        if work is not None and work.trace.drove:
            self._pace.driven(event.session_id)

    async def _open(self, event: IntegrationEvent, deadline: float) -> Work:
        record = await self._ledger.record(event.session_id)
        return Work(event, record, self._ledger, self._clock, pace=self._pace, deadline=deadline)

    async def _attempt(self, handler: AnyHandler, work: Work) -> Report:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._holds.check(work.event)
                work.event = await self._claim_check.redeemed(work.event)
                if isinstance(handler, InboundHandler):
                    return await self._converge_inbound(handler, work)
                return await self._converge(handler, work)
        except TimeoutError:
            return Failed(Transient("the time for one attempt is over", reason="deadline-exceeded"))
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is decided on: nothing may vanish
            return Failed(error)

    @staticmethod
    async def _converge_inbound(handler: InboundHandler, work: Work) -> Report:
        """Let the handler work until the row holds still."""
        rounds = 0
        while rounds < _ROUNDS:
            try:
                outcome = await handler.bring(work)
            except TooSoon as soon:
                await asyncio.sleep(soon.seconds)
            except Conflict:
                rounds += 1
            else:
                return Done(outcome.state, outcome.detail, work.trace.drove, outcome.agrees)
        raise _contended()

    async def _converge(self, handler: Handler, work: Work) -> Report:
        """Let the handler work until the row holds still, or does not exist."""
        event = work.event
        if event.message in handler.ignored:
            return Done(State.COMPLETED, f"{event.message} changes nothing for the other systems")
        rounds, waited = 0, 0.0
        while rounds < _ROUNDS:
            row = await self._read(handler, work)
            if waits_for_commit(event, row, self._clock.now(), self._commit_wait):
                if waited >= _PATIENCE_SECONDS:
                    raise Transient("the row does not show yet what the event announces", reason="not-committed-yet")
                waited += _LOOK_AGAIN_SECONDS
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                continue
            try:
                return await self._report(handler, work, row)
            except TooSoon as soon:
                await asyncio.sleep(soon.seconds)
            except Conflict:
                rounds += 1
            except NotFound as error:
                if not _is_of(error, work):
                    raise
                rounds += 1
            except Stale as error:
                await self._check_ahead(handler, work, row, error)
                rounds += 1
        raise _contended()

    @staticmethod
    async def _report(handler: Handler, work: Work, row: Row | None) -> Report:
        if row is not None:
            work.row_version = version_of(row)
            outcome = await handler.present(work, row)
            return Done(outcome.state, outcome.detail, work.trace.drove, outcome.agrees)
        if work.event.message != "Delete":
            return Done(State.SUPERSEDED, "the row does not exist any more", deleted=True)
        outcome = await handler.deleted(work)
        return Done(outcome.state, outcome.detail, work.trace.drove, outcome.agrees, deleted=True)

    async def _read(self, handler: Handler, work: Work) -> Row | None:
        try:
            row = await self._rows.read(handler.reads, work.record_id, work.context)
        except NotFound as error:
            if _is_of(error, work):
                _log.debug("debug-row", service="dataverse", outcome="does-not-exist")
                return None
            raise
        if detailed_event() is not None:
            _log.debug("debug-row", service="dataverse", outcome="read", columns=[*row.values], version=version_of(row))
        return row

    async def _check_ahead(self, handler: Handler, work: Work, row: Row | None, error: Stale) -> None:
        """A system holds a newer version than the row that was read: the row has moved on, or was set back."""
        if failure := ahead(error, row, await self._read(handler, work)):
            raise failure from error


def _detail_memory(work: Work) -> None:
    """What the ledger remembers of the record, in names."""
    if detailed_event() is None:
        return
    memory = work.memory
    ended = memory.recent.get(work.event.event_id)
    _log.debug(
        "debug-remembered",
        state=ended.value if ended else "open",
        effects=[*memory.effects],
        version=memory.seen,
        count=len(memory.dead_letters),
    )


def _detail_decision(decision: Decision) -> None:
    if detailed_event() is None:
        return
    state, reason = ended_as(decision)
    _log.debug(
        "debug-decided",
        outcome=_DECIDED[type(decision)],
        state=state.value if state else "unchanged",
        reason=reason or None,
        due=decision.due if isinstance(decision, RetryAt) else None,
    )


def _note(recording: Recording | None, state: State | None, reason: str) -> None:
    """Say in the span how the attempt ended."""
    if recording is not None:
        recording.root.error = reason
        if state is not None:
            recording.root.attributes["integration.state"] = state.value


def _seen(work: Work) -> Done | None:
    """The end of an event that the app made itself, of what other events have brought by now."""
    event, memory = work.event, work.memory
    if event.cause is None or event.forced:
        return None
    if event.message == "Delete" and memory.deleted:
        return Done(State.SUPERSEDED, "the deletion was brought already")
    if event.row_version is not None and event.row_version <= memory.seen:
        return Done(State.SUPERSEDED, f"the other systems agreed with row version {memory.seen} already")
    return None


def _contended() -> Transient:
    return Transient("the row changes while it is worked on", reason="row-contended")


def _is_of(error: NotFound, work: Work) -> bool:
    """Whether it is the event's own row that does not exist."""
    return error.record_id == work.event.record_id and error.service == "dataverse"
