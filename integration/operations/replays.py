"""Sending an event again as a new one.

The steps are: send (acknowledged by the broker), then mark the original. What a crash between them leaves: the new
event is worked on, and the original still looks dead-lettered. Whoever asks again sends the same event, as its id is
derived from the original's id and a token. The broker drops the second message within its window for duplicates, the
record knows later that the event has ended, and the original is marked.

The token is the `request` that the caller gives, or the moment at which the original was dead-lettered, so that asking
twice for the same failure is one request. With a `request` of one's own the answer is the same after the marking too.
"""

import dataclasses

from integration.clock import Clock
from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.events.identity import event_id as new_event_id
from integration.ledger import EventStatus, State
from integration.operations.audit import Entry
from integration.operations.originals import Originals, check
from integration.operations.queueing import Queueing


class Replays:
    """Makes and sends them. Raises `Rejected` (409) and `Transient`."""

    def __init__(self, originals: Originals, queueing: Queueing, clock: Clock) -> None:
        self._originals = originals
        self._queueing = queueing
        self._clock = clock

    @staticmethod
    def id_of(original: EventStatus, token: str) -> str:
        """In the minute of the original, so that it is the same however late somebody asks."""
        failed = original.changed_time or original.accepted_time
        session_id = original.session_id if original.record_id else None
        token = token or failed.isoformat()
        return new_event_id(original.accepted_time, original.event_id, "again", token, session_id=session_id)

    def of(
        self, original: EventStatus, token: str, *, carried: IntegrationEvent | None = None, force: bool = False
    ) -> IntegrationEvent:
        """The new event: the same record, so the same session, and the same correlation id.

        It is an operation of now, so that a failure of it is never taken for one that a later change has made up for.
        Without what was `carried`, which columns had changed is not known any more (`trimmed`): handlers go by the row.
        """
        if not original.table or not original.message:
            raise Rejected(
                409,
                "The event cannot be sent again",
                "What its message was about could not be read. Deploy the version that reads it and send the message "
                "back from the dead-letter queue, or discard it.",
            )
        now = self._clock.now()
        bare = IntegrationEvent(
            event_id=self.id_of(original, token),
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
            traceparent=original.traceparent,
            replay_of=original.event_id,
            forced=force,
        )
        if carried is None:
            return bare
        return dataclasses.replace(
            bare,
            user_id=carried.user_id,
            initiating_user_id=carried.initiating_user_id,
            changed_columns=carried.changed_columns,
            values=carried.values,
            parameters=carried.parameters,
            pre_image=carried.pre_image,
            post_image=carried.post_image,
            tag=carried.tag,
            tracestate=carried.tracestate,
            trimmed=carried.trimmed,
            unread=carried.unread,
        )

    def is_done(self, original: EventStatus, request: str) -> bool:
        """Whether this very request was carried out before."""
        return bool(request) and self.id_of(original, request) in {original.replayed_by, original.resolved_by}

    async def send(self, original: EventStatus, again: IntegrationEvent, entry: Entry) -> str:
        """Send `again`; its id. The original becomes `resubmitted`, with `replayedBy`."""
        check(original, "retry")
        sent = await self._queueing.send(again)
        await self._originals.end(original, State.RESUBMITTED, entry, {"replayedBy": again.event_id})
        await self._queueing.show(sent)
        entry.outcome = f"sent as {again.event_id}"
        return again.event_id
