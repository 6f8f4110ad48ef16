"""Bringing the dead-letter queue and the ledger together.

| message in the dead-letter queue                             | what is done                                    |
|--------------------------------------------------------------|-------------------------------------------------|
| its event is resolved, resubmitted or discarded              | the message is removed                          |
| its event has ended well and analytics has it                | the message is removed                          |
| the ledger knows of no end of this attempt: its worker died  | the event is dead-lettered in the ledger        |
| its event is dead-lettered with its reason                   | it stays; put back by hand, it is worked on     |
| it is unreadable                                             | it stays                                        |
"""

import asyncio
from contextlib import suppress
from typing import Final

from integration.claim_check import ClaimCheck
from integration.clock import Clock, iso
from integration.errors import Conflict, Transient, Unreadable
from integration.events import IntegrationEvent, from_envelope
from integration.events.identity import unreadable_id
from integration.ledger import DeadLetter, EventStatus, Ledger, Memory, State, keys, rows
from integration.ledger.memory import RETURNS
from integration.ledger.shared_state import TableState
from integration.messaging import DeadLetterQueue, DeadMessage
from integration.telemetry import get_logger

_A_RUN: Final = 250
_CURSOR: Final = "dead-letter-queue"
OVER: Final = frozenset({State.RESOLVED, State.RESUBMITTED, State.DISCARDED})
"""Nothing is to be done any more for a message whose event is in one of these states."""
_EXPIRED: Final = "TTLExpiredException"
_log = get_logger(__name__)


class DeadLetterReader:
    """Goes through the dead-letter queue round and round, 250 messages a run.

    How far it came is kept in the table `systems`, under `dead-letter-queue`.
    """

    def __init__(self, queue: DeadLetterQueue, ledger: Ledger, claim_check: ClaimCheck, clock: Clock) -> None:
        self._queue = queue
        self._ledger = ledger
        self._claim_check = claim_check
        self._clock = clock
        self._cursor = TableState(ledger.table(keys.SYSTEMS))

    async def run(self) -> None:
        """Look at the next messages; what is away now is asked for in the next run."""
        try:
            await self.look()
        except (Transient, Conflict) as error:
            _log.warning("dead-letters-not-read", error=error)

    async def look(self) -> bool:
        """Look at the next messages; returns whether the end of the queue was reached.

        Raises `Transient` where broker or tables are away, `Conflict` beside another run. The next run goes on from the
        same place then.
        """
        cursor, etag = await self._cursor.read(_CURSOR)
        after = int((cursor or {}).get("after", 0))
        messages = await asyncio.to_thread(self._queue.peek, after, _A_RUN)
        over = [it for it in messages if await self._is_over(it)]
        if over:
            removed = await asyncio.to_thread(self._queue.remove, [it.sequence_number for it in over])
            _log.info("dead-letters-removed", count=removed)
            for message in over:
                with suppress(Unreadable):
                    await self._claim_check.forget(from_envelope(message.body))
        reached = messages[-1].sequence_number if len(messages) == _A_RUN else 0
        if reached != after:
            await self._cursor.write(_CURSOR, {"after": reached}, etag)
        return not reached

    async def _is_over(self, message: DeadMessage) -> bool:
        """Whether nothing is to be done for the message any more; writes down what nobody has written yet."""
        try:
            event = from_envelope(message.body)
        except Unreadable:
            status = await self._ledger.read(unreadable_id(message.body))
            return status is not None and status.state in OVER
        status = await self._ledger.read(event.event_id)
        if status is not None and (status.state in OVER or _has_ended_well(status)):
            return True
        if event.settled is None and _is_open(status, event):
            await self._give_reason(event, message, status)
        elif status is not None and status.state is State.DEAD_LETTERED:
            await self._note_arrival(event)
        return False

    async def _note_arrival(self, event: IntegrationEvent) -> None:
        """Write down that the message is in the dead-letter queue: if it comes again, a person has put it back."""

        def arrive(memory: Memory) -> None:
            if letter := memory.dead_letters.get(event.event_id):
                memory.dead_letters[event.event_id] = letter.arrived(event.attempt)

        record = await self._ledger.record(event.session_id, guest=True)
        letter = record.memory.dead_letters.get(event.event_id)
        if letter is not None and not letter.has_arrived(event.attempt):
            await record.write(arrive)

    async def _give_reason(self, event: IntegrationEvent, message: DeadMessage, status: EventStatus | None) -> None:
        """Dead-letter the event in the ledger, unless its record knows how it ended."""
        record = await self._ledger.record(event.session_id, guest=True)
        if event.event_id in record.memory.recent:
            return  # only the row for people is late or lost: it is made again when somebody asks for it
        now = self._clock.now()
        letter = record.memory.dead_letters.get(event.event_id)
        if letter is None:
            letter = buried = _letter(message, iso(now))
            await record.write(lambda memory: memory.bury(event.event_id, buried))
            _log.error("dead-lettered", event=event, reason=letter.reason)
        steps = status.steps if status else ()
        row = rows.ended(event, State.DEAD_LETTERED, now=now, steps=steps, reason=letter.reason, detail=letter.detail)
        problems = self._ledger.table(keys.PROBLEMS)
        await problems.merge(rows.problem_row(rows.to_status(row), iso(now)))
        await problems.delete(*keys.problem_keys(State.WAITING.value, event.event_id))
        await self._ledger.table(keys.events_table(keys.month_of(event.event_id))).merge(row)


def _has_ended_well(status: EventStatus) -> bool:
    """Whether another delivery has done everything: this one lost its lock too often."""
    return status.state.settled and status.published_time is not None


def _is_open(status: EventStatus | None, event: IntegrationEvent) -> bool:
    """Whether this very attempt has not ended; one that has, and waits, has a copy in the queue."""
    if status is None:
        return True
    if status.state is State.WAITING:
        return status.attempts < event.attempt
    return not status.state.final and status.attempts <= event.attempt


def _letter(message: DeadMessage, at: str) -> DeadLetter:
    """With all its returns behind it, so that a message which is put back by hand is worked on at once."""
    if message.cause == _EXPIRED:
        detail = "the message lay in the work queue until its time to live was over; no worker took it: send it again"
        return DeadLetter(reason="message-expired", detail=detail, at=at, returns=RETURNS)
    detail = (
        "each worker that took the message ended without a word: look for restarts, out of memory and time-outs of "
        "the app at that time, then send the event again"
    )
    return DeadLetter(reason="worker-died", detail=detail, at=at, returns=RETURNS)
