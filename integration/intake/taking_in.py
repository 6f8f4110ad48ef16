"""What all endpoints of the intake have in common: a request is admitted and read, its events are queued."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from integration.admission import Senders
from integration.claim_check import ClaimCheck
from integration.clock import Clock
from integration.errors import Fault, Rejected, Transient, Unavailable
from integration.events import IntegrationEvent
from integration.events.contents import without_contents
from integration.events.identity import unreadable_id
from integration.events.model import nobodys_event
from integration.events.refused_message import to_refused
from integration.intake.rights import Rights
from integration.ledger import Ledger
from integration.messaging import WorkQueue
from integration.protection import DebugDetail
from integration.settings import Settings
from integration.telemetry import child_of, get_logger, metrics, recordings, spans
from integration.telemetry.spans import Recording

Read_co = TypeVar("Read_co", covariant=True)

_POINTERS: Final = 10
_OF_DATAVERSE: Final = "webhook"
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """An HTTP request as the intake needs it; header names in lower case."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the intake answers with 202; `status` is accepted or own-write, `unread` names what was left out."""

    event_id: str
    correlation_id: str
    status: str
    unread: tuple[str, ...] = ()


def with_own_writes(events: Iterable[IntegrationEvent], queued: Iterable[Accepted]) -> list[Accepted]:
    """What is answered for each of `events`: those that were not queued are this app's own writes."""
    by_id = {it.event_id: it for it in queued}
    return [by_id.get(it.event_id) or Accepted(it.event_id, it.correlation_id, "own-write") for it in events]


class Reader(Protocol[Read_co]):
    """Reads an admitted request; raises `Rejected`."""

    def __call__(self, request: IntakeRequest, caller: str) -> Read_co: ...


class TakingIn:
    """Admits requests and queues their events. Raises `Rejected` (400, 401, 403, 413, 415) or `Unavailable` (503)."""

    def __init__(  # noqa: PLR0917 -- called once
        self,
        settings: Settings,
        senders: Senders,
        work_queue: WorkQueue,
        ledger: Ledger,
        claim_check: ClaimCheck,
        clock: Clock,
        detail: DebugDetail | None = None,
    ) -> None:
        self._detail = detail or DebugDetail.of_nothing(clock)
        self._senders = senders
        self._rights = Rights(settings.intake_rights, settings.organisations, clock)
        self._body_limit = settings.intake_body_limit_bytes
        self._message_limit = settings.message_limit_bytes
        self._deadline = settings.intake_deadline_seconds
        self._work_queue = work_queue
        self._ledger = ledger
        self._claim_check = claim_check
        self.clock = clock

    async def admitted(self, request: IntakeRequest, source: str, read: Reader[Read_co]) -> tuple[str, Read_co]:
        """The caller, and what `read` makes of the request.

        A refusal is logged, because nobody sends such an event again and it is in no queue.
        """
        caller = await self.admit(request, source)
        try:
            self.check(request)
            return caller, read(request, caller)
        except Rejected as error:
            raise self._refused(request, source, caller, error) from None

    async def admit(self, request: IntakeRequest, source: str) -> str:
        """The caller who sends the request, if it may send here and now.

        A refusal (401, 403, 429, or 503 in place of it) is logged.
        """
        caller = "unknown"
        try:
            caller = await self._senders.admit(request.headers, request.params, request.body)
            self.check_caller(caller, source)
        except Rejected as error:
            raise self._refused(request, source, caller, error) from None
        return caller

    def check_caller(self, caller: str, source: str) -> None:
        """Raise `Rejected` (403, 429) where the caller may not send through this endpoint, or not now."""
        self._rights.check_endpoint(caller, source)
        self._rights.check_rate(caller)

    def check_organisations(self, events: Sequence[IntegrationEvent]) -> None:
        """Raise `Rejected` (429) where an organisation sends more often than it may."""
        self._rights.check_organisations(events)

    def check_tables(self, events: Sequence[IntegrationEvent], caller: str) -> None:
        """Raise `Rejected` (403) where the caller may not send about the table of one of the events."""
        self._rights.check_tables(caller, events)

    def tables_of(self, caller: str) -> frozenset[str] | None:
        """The tables of the caller's rights; None for all."""
        return self._rights.tables_of(caller)

    def caller_of(self, key: str) -> str | None:
        """The caller whose key this is, for systems that send it in a place of their own."""
        return self._senders.caller_of(key)

    def check(self, request: IntakeRequest) -> None:
        """Raise `Rejected` (411, 413, 415) for a body that is not plain JSON, too large, or sent in chunks."""
        if not request.body and "chunked" in request.headers.get("transfer-encoding", "").lower():
            raise Rejected(
                411,
                "The length is missing",
                "The body was sent in chunks, of which the Functions host hands over none: send a Content-Length.",
                faults=(Fault("content-length", "must be there"),),
            )
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise _unsupported("content-type", media_type or "missing", "must be application/json")
        encoding = request.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise _unsupported("content-encoding", encoding, "must be identity: send the body as it is")
        self.check_size(request.body)

    def check_size(self, body: bytes) -> None:
        """Raise `Rejected` (413) for a body that is too large."""
        if len(body) > self._body_limit:
            raise Rejected(
                413, "The body is too large", f"The body has {len(body)} bytes; {self._body_limit} are allowed."
            )

    async def set_aside(self, body: bytes, caller: str, error: Rejected, *, source: str) -> None:
        """Send what was refused, and has no caller who hears it, on to the dead-letter queue; raises `Unavailable`.

        The same message has the same id, so that it is there once.
        """
        limit = self._message_limit * 5 // 4  # it needs less room for properties than an event leaves
        message = to_refused(body, error, source=source, limit_bytes=limit)
        nobody = nobodys_event(unreadable_id(message), self.clock.now())
        async with self._in_time([nobody]):
            await self._acknowledged([(nobody, message)])
        _log_refusal(len(body), source, caller, error)

    @staticmethod
    def log_refusal(request: IntakeRequest, source: str, caller: str, error: Rejected) -> None:
        """What was wrong, without a value of the request."""
        _log_refusal(len(request.body), source, caller, error)

    def _refused(self, request: IntakeRequest, source: str, caller: str, error: Rejected) -> Rejected | Unavailable:
        """What the caller gets, after the refusal has been logged.

        Dataverse gets 503 in place of 429: it is all after which a webhook is sent once more.
        """
        self.log_refusal(request, source, caller, error)
        if error.status == 429 and source == _OF_DATAVERSE:
            return Unavailable(error.detail, title=error.title, retry_after=error.retry_after or 0.0)
        return error

    async def queue(self, event: IntegrationEvent, caller: str, source: str, started: float) -> Accepted:
        """Queue one event; `started` is when its request came (`Clock.monotonic`)."""
        return (await self.queue_all([event], caller, source, started))[0]

    async def queue_all(
        self, events: Sequence[IntegrationEvent], caller: str, source: str, started: float
    ) -> list[Accepted]:
        """Queue all events, or raise. Those that were queued by then get the same ids when they are sent again."""
        if not events:
            return []
        began = spans.ago(self.clock.monotonic() - started)
        looking = self._detail.look()
        queue, alone = self._work_queue.name, len(events) == 1
        recorded = [
            recordings.of_sent(
                it,
                queue,
                source=source,
                started=began,
                alone=alone,
                wanted=self._detail.until(it.correlation_id) is not None,
            )
            for it in events
        ]
        try:
            sent = await self._sent([_to_send(event, caller, it) for event, it in zip(events, recorded, strict=True)])
        except Unavailable:
            _end(recorded, "not-queued")
            raise
        _end(recorded)
        for event in sent:
            metrics.ACCEPTED.add(source)
            self._ledger.accept(event)  # the broker has the event: the answer does not wait for the tables
            duration = (self.clock.monotonic() - started) * 1000
            unread = [*event.unread] or None
            _log.info("accepted", event=event, caller=caller, source=source, unread=unread, duration_ms=duration)
        self._log_detail(looking, sent, recorded)
        return [Accepted(event.event_id, event.correlation_id, "accepted", event.unread) for event in sent]

    def _log_detail(
        self,
        looking: "asyncio.Task[None] | None",
        sent: Sequence[IntegrationEvent],
        recorded: Sequence[Recording | None],
    ) -> None:
        """At once, or as soon as it is known of what people want debug detail: the caller's answer does not wait."""
        if looking is not None and not looking.done():
            kept = [(without_contents(event), [*event.values]) for event in sent]
            looking.add_done_callback(lambda _: self._log_wanted(kept, recorded))
        elif any(self._detail.until(it.correlation_id) for it in sent):
            self._log_wanted([(it, [*it.values]) for it in sent], recorded)

    def _log_wanted(
        self, sent: Sequence[tuple[IntegrationEvent, list[str]]], recorded: Sequence[Recording | None]
    ) -> None:
        for (event, columns), recording in zip(sent, recorded, strict=True):
            if self._detail.until(event.correlation_id) is None:
                continue
            if recording is not None:
                recording.want()
            _log.debug(
                "debug-taken-in",
                event=event,
                caller=event.caller or "",
                columns=columns,
                changed=[*(event.changed_columns or ())],
                outcome="trimmed" if event.trimmed else "whole",
            )

    async def _sent(self, events: Sequence[IntegrationEvent]) -> list[IntegrationEvent]:
        """The events as they were sent: what does not fit into a message is kept before any of them is sent."""
        async with self._in_time(events):
            fitted = [await self._claim_check.fitted(event) for event in events]
            await self._acknowledged(fitted)
        return [event for event, _ in fitted]

    async def _acknowledged(self, sent: Collection[tuple[IntegrationEvent, bytes]]) -> None:
        futures = [asyncio.wrap_future(self._work_queue.send(event, envelope)) for event, envelope in sent]
        await (futures[0] if len(futures) == 1 else asyncio.gather(*futures))

    @asynccontextmanager
    async def _in_time(self, events: Sequence[IntegrationEvent]) -> AsyncIterator[None]:
        """Raises `Unavailable` for what takes too long, or goes wrong, on the way into the queue."""
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except (Transient, TimeoutError) as error:
            for event in events:
                _log.warning("not-queued", event=event, error=error)
            raise Unavailable("The event could not be queued in time; send it again.") from error


def _log_refusal(size: int, source: str, caller: str, error: Rejected) -> None:
    _log.warning(
        "refused",
        caller=caller,
        source=source,
        status=error.status,
        reason=error.reason,
        pointers=[fault.pointer for fault in error.faults[:_POINTERS]],
        size_bytes=size,
    )


def _end(recordings: Iterable[Recording | None], error: str = "") -> None:
    for recording in recordings:
        if recording is not None:
            recording.end(error)


def _to_send(event: IntegrationEvent, caller: str, recording: Recording | None) -> IntegrationEvent:
    """The event as it is queued: without users and tag, which only the intake needs."""
    return dataclasses.replace(
        event,
        user_id=None,
        initiating_user_id=None,
        tag=None,
        caller=caller,
        traceparent=recording.traceparent if recording else str(child_of(event.traceparent)),
    )


def _unsupported(header: str, found: str, instead: str) -> Rejected:
    return Rejected(
        415,
        "Only plain JSON is read here",
        f"{header} is {found}; it {instead}.",
        faults=(Fault(header, instead),),
    )
