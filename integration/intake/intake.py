"""What the intake does with a request: admit it, read it, queue the event, record it in the ledger, answer."""

import asyncio
import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from integration.admission import CallerKeys
from integration.clock import Clock
from integration.errors import Fault, Rejected, Transient, Unavailable
from integration.events import (
    IntegrationEvent,
    WantsOf,
    fit,
    nothing,
    read_plugin_event,
    read_remote_execution_context,
)
from integration.intake.own_writes import OwnWrites
from integration.ledger import Ledger
from integration.messaging import WorkQueue
from integration.settings import Settings
from integration.telemetry import child_of, get_logger

_POINTERS = 10
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """An HTTP request as the intake needs it; header names in lower case."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the intake answers with 202; `status` is accepted or own-write, `unread` names what was left out."""

    event_id: str
    correlation_id: str
    status: str
    unread: tuple[str, ...] = ()


class _Reader(Protocol):
    def __call__(self, request: IntakeRequest) -> IntegrationEvent: ...


class Intake:
    """The two intake endpoints. Each raises `Rejected` (400, 401, 403, 413, 415) or `Unavailable` (503).

    `wants_of` says which values events carry, `results` which columns this app writes, by table.
    """

    def __init__(
        self,
        settings: Settings,
        work_queue: WorkQueue,
        ledger: Ledger,
        clock: Clock,
        *,
        wants_of: WantsOf = nothing,
        results: Mapping[str, Collection[str]],
    ) -> None:
        self._settings = settings
        self._callers = CallerKeys(settings.intake_keys)
        self._work_queue = work_queue
        self._ledger = ledger
        self._clock = clock
        self._wants_of = wants_of
        self._own_writes = OwnWrites(settings.write_tag, results)
        self._plugin_events = {name: (it.table, it.message) for name, it in settings.plugin_events.items()}

    async def dataverse_webhook(self, request: IntakeRequest) -> Accepted:
        """Take in a RemoteExecutionContext that a Dataverse webhook step posted."""
        return await self._take_in(request, "webhook", self._read_context)

    async def plugin_event(self, request: IntakeRequest) -> Accepted:
        """Take in what a plug-in posted by itself."""
        return await self._take_in(request, "plug-in", self._read_plugin_event)

    def _read_context(self, request: IntakeRequest) -> IntegrationEvent:
        return read_remote_execution_context(
            request.body,
            headers=request.headers,
            accepted_time=self._clock.now(),
            repair_mojibake=self._settings.repair_mojibake,
            wants_of=self._wants_of,
        )

    def _read_plugin_event(self, request: IntakeRequest) -> IntegrationEvent:
        return read_plugin_event(
            request.body,
            headers=request.headers,
            accepted_time=self._clock.now(),
            organisation=self._settings.dataverse_organisation,
            event_names=self._plugin_events,
        )

    async def _take_in(self, request: IntakeRequest, source: str, read: _Reader) -> Accepted:
        started = self._clock.monotonic()
        caller, event = self._admitted(request, source, read)
        if event in self._own_writes:
            _log.info("own-write", event=event, caller=caller, changed=[*(event.changed_columns or ())])
            return Accepted(event.event_id, event.correlation_id, "own-write")
        event, envelope = fit(_to_send(event, caller), self._settings.message_limit_bytes)
        await self._queue(event, envelope)
        self._ledger.accept(event)  # the broker has it: no answer waits for the tables
        duration = (self._clock.monotonic() - started) * 1000
        unread = [*event.unread] or None
        _log.info("accepted", event=event, caller=caller, source=source, unread=unread, duration_ms=duration)
        return Accepted(event.event_id, event.correlation_id, "accepted", event.unread)

    def _admitted(self, request: IntakeRequest, source: str, read: _Reader) -> tuple[str, IntegrationEvent]:
        """The caller and its event.

        A refusal is logged, because nobody sends such an event again and it is in no queue.
        """
        caller = "unknown"
        try:
            caller = self._callers.admit(request.headers, request.params)
            self._check(request)
            event = read(request)
            self._check_organisation(event)
        except Rejected as error:
            _log.warning(
                "refused",
                caller=caller,
                source=source,
                status=error.status,
                reason=error.reason,
                pointers=[fault.pointer for fault in error.faults[:_POINTERS]],
                size_bytes=len(request.body),
            )
            raise
        return caller, event

    def _check(self, request: IntakeRequest) -> None:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise _unsupported("content-type", media_type or "missing", "must be application/json")
        encoding = request.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise _unsupported("content-encoding", encoding, "must be identity: send the body as it is")
        limit = self._settings.intake_body_limit_bytes
        if len(request.body) > limit:
            raise Rejected(
                413, "The body is too large", f"The body has {len(request.body)} bytes; {limit} are allowed."
            )

    def _check_organisation(self, event: IntegrationEvent) -> None:
        """A copied environment posts to the same endpoints with the same row ids.

        Its deletes must not block real customers.
        """
        own = self._settings.dataverse_organisation
        if self._settings.own_organisation_only and event.organisation != own:
            raise Rejected(
                403,
                "Another organisation's event",
                f"The event is of organisation {event.organisation}; this app serves {own}. If its environment is a "
                "copy, disable the copied steps; if the app serves several, set OWN_ORGANISATION_ONLY to false.",
                faults=(Fault("/OrganizationId", f"must be {own}"),),
            )

    async def _queue(self, event: IntegrationEvent, envelope: bytes) -> None:
        try:
            acknowledged = asyncio.wrap_future(self._work_queue.send(event, envelope))
            await asyncio.wait_for(acknowledged, self._settings.intake_deadline_seconds)
        except (Transient, TimeoutError) as error:
            _log.warning("not-queued", event=event, error=error)
            raise Unavailable("The event could not be queued in time; send it again.") from error


def _to_send(event: IntegrationEvent, caller: str) -> IntegrationEvent:
    """The event as it is queued: without users and tag, which only the intake needs."""
    return dataclasses.replace(
        event,
        user_id=None,
        initiating_user_id=None,
        tag=None,
        caller=caller,
        traceparent=str(child_of(event.traceparent)),
    )


def _unsupported(header: str, found: str, instead: str) -> Rejected:
    return Rejected(
        415,
        "Only plain JSON is read here",
        f"{header} is {found}; it {instead}.",
        faults=(Fault(header, instead),),
    )
