"""Repair of one event: send it again, discard it, take a discard back.

An event is sent again as a new one, made of what the ledger shows of the original. The steps are: audit, send
(acknowledged by the broker), mark the original. What a crash between them leaves:

- before the send: nothing has happened, the original is still dead-lettered;
- after the send: the new event is worked on, and the original still looks dead-lettered. Whoever asks again sends the
  same event: its id is derived from the original's id and a token. The broker drops the second message within its
  window for duplicates, the record knows later that the event has ended, and the original is marked.

The token is the `request` that the caller gives, or the moment at which the original was dead-lettered, so that asking
twice for the same failure is one request. With a `request` of one's own the answer is the same after the marking too.
"""

import dataclasses
from typing import Final

from integration.clock import Clock
from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.events.identity import event_id as new_event_id
from integration.ledger import DeadLetter, EventStatus, Ledger, State, keys, rows
from integration.ledger.memory import RETURNS
from integration.operations.audit import Audit, Subject
from integration.operations.originals import Originals, check
from integration.operations.queueing import Queueing
from integration.telemetry import TraceParent

_SENT_AGAIN: Final = frozenset({State.DEAD_LETTERED, State.WAITING})


class Repair:
    """Each method refuses (`Rejected`: 404 unknown, 409 not in this state) with a sentence that says what to do.

    Raises `Transient` where broker or tables are away: ask again, nothing is lost and nothing is done twice.
    """

    def __init__(self, ledger: Ledger, originals: Originals, queueing: Queueing, audit: Audit, clock: Clock) -> None:
        self._ledger = ledger
        self._originals = originals
        self._queueing = queueing
        self._audit = audit
        self._clock = clock

    async def retry(self, event_id: str, *, by: str, why: str, force: bool = False, request: str = "") -> str:
        """Send the event again as a new one; its id. The original becomes `resubmitted`, with `replayedBy`.

        For a dead-lettered event, or one that waits and is to be tried now. `force`: what is remembered of effects does
        not count, each is done again (a charged one is charged again).
        """
        async with self._audit.action("force" if force else "retry", Subject(event_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            if request and original.replayed_by == self._id_of(original, request):
                entry.outcome = f"was done before: {original.replayed_by}"
                return original.replayed_by
            check(original, _SENT_AGAIN, "sent again")
            again = self._again(original, request, force=force)
            await self._queueing.send(again)
            await self._originals.end(original, State.RESUBMITTED, entry, {"replayedBy": again.event_id})
            await self._queueing.show(again)
            entry.outcome = f"sent as {again.event_id}"
            return again.event_id

    async def discard(self, event_id: str, *, by: str, why: str) -> None:
        """Decide that nothing is to be done for a dead-lettered event."""
        async with self._audit.action("discard", Subject(event_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            if original.state is State.DISCARDED:
                entry.outcome = "was done before"
            else:
                check(original, {State.DEAD_LETTERED}, "discarded")
            await self._originals.end(original, State.DISCARDED, entry)

    async def restore(self, event_id: str, *, by: str, why: str) -> None:
        """Take a discard back: the event is dead-lettered again, with the reason that it had."""
        async with self._audit.action("restore", Subject(event_id), by=by, why=why) as entry:
            original = await self._originals.known(event_id)
            check(original, {State.DISCARDED}, "restored")
            now = self._clock.now()
            letter = DeadLetter(
                original.reason or "", original.detail or "", now.isoformat(), RETURNS, reported=("row", "hub")
            )
            await self._originals.remember(original, lambda memory: memory.bury(event_id, letter))
            buried = dataclasses.replace(original, state=State.DEAD_LETTERED)
            await self._ledger.table(keys.PROBLEMS).merge(rows.problem_row(buried, rows.iso(now)))
            await self._originals.show(
                original, entry, {"state": State.DEAD_LETTERED.value, "changedTime": rows.iso(now)}
            )

    def _again(self, original: EventStatus, request: str, *, force: bool) -> IntegrationEvent:
        """The new event: the same record, so the same session, and the same correlation id.

        It is an operation of now, so that a failure of it is never taken for one that a later change has made up for.
        Which columns had changed is not known any more (`trimmed`): handlers go by the row.
        """
        if not original.table or not original.message:
            raise Rejected(
                409,
                "The event cannot be sent again",
                "What its message was about could not be read. Deploy the version that reads it and send the message "
                "back from the dead-letter queue, or discard it.",
            )
        now = self._clock.now()
        return IntegrationEvent(
            event_id=self._id_of(original, request),
            table=original.table,
            message=original.message,
            record_id=original.record_id,
            organisation=original.organisation,
            correlation_id=original.correlation_id,
            operation_time=now,
            accepted_time=now,
            user_id=None,
            initiating_user_id=None,
            trimmed=True,
            caller=original.caller,
            traceparent=str(TraceParent.new()),
            replay_of=original.event_id,
            forced=force,
        )

    @staticmethod
    def _id_of(original: EventStatus, request: str) -> str:
        """In the minute of the original, so that it is the same however late somebody asks."""
        failed = original.changed_time or original.accepted_time
        session_id = original.session_id if original.record_id else None
        token = request or failed.isoformat()
        return new_event_id(original.accepted_time, original.event_id, "again", token, session_id=session_id)
