"""What the intake does with a request: admit, read, queue, write down, answer."""

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from integration.admission import CallerKeys
from integration.clock import Clock
from integration.errors import Fault, Rejected, Transient, Unavailable
from integration.events import IntegrationEvent, fit, read_plugin_event, read_remote_execution_context
from integration.ledger import Ledger
from integration.messaging import WorkQueue
from integration.settings import Settings
from integration.telemetry import child_of, get_logger

_LEDGER_SECONDS = 2.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """An HTTP request as the intake needs it; header names in lower case."""

    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the intake answers with 202; `status` is accepted or own-write."""

    event_id: str
    correlation_id: str
    status: str


class _Reader(Protocol):
    def __call__(self, request: IntakeRequest) -> IntegrationEvent: ...


class Intake:
    """The two intake endpoints. Each raises `Rejected` (400, 401, 413, 415) or `Unavailable` (503)."""

    def __init__(self, settings: Settings, work_queue: WorkQueue, ledger: Ledger, clock: Clock) -> None:
        self._settings = settings
        self._callers = CallerKeys(settings.intake_keys)
        self._work_queue = work_queue
        self._ledger = ledger
        self._clock = clock
        self._plugin_events = {name: (it.table, it.message) for name, it in settings.plugin_events.items()}

    async def dataverse_webhook(self, request: IntakeRequest) -> Accepted:
        """Take in a RemoteExecutionContext that a Dataverse webhook step posted."""
        return await self._take_in(request, self._read_context)

    async def plugin_event(self, request: IntakeRequest) -> Accepted:
        """Take in what a plug-in posted by itself."""
        return await self._take_in(request, self._read_plugin_event)

    def _read_context(self, request: IntakeRequest) -> IntegrationEvent:
        return read_remote_execution_context(
            request.body,
            headers=request.headers,
            accepted_time=self._clock.now(),
            repair_mojibake=self._settings.repair_mojibake,
        )

    def _read_plugin_event(self, request: IntakeRequest) -> IntegrationEvent:
        return read_plugin_event(
            request.body,
            headers=request.headers,
            accepted_time=self._clock.now(),
            organisation=self._settings.dataverse_organisation,
            event_names=self._plugin_events,
        )

    async def _take_in(self, request: IntakeRequest, read: _Reader) -> Accepted:
        started = self._clock.monotonic()
        caller = self._callers.admit(request.headers, request.params)
        self._check(request)
        event = read(request)
        event = dataclasses.replace(event, traceparent=str(child_of(event.traceparent)))
        self._check_organisation(event)
        if self._is_own_write(event):
            _log.info("own-write", event=event, caller=caller)
            return Accepted(event.event_id, event.correlation_id, "own-write")
        await self._queue(fit(event, self._settings.message_limit_bytes))
        await self._write_down(event)
        _log.info("accepted", event=event, caller=caller, duration_ms=(self._clock.monotonic() - started) * 1000)
        return Accepted(event.event_id, event.correlation_id, "accepted")

    def _check(self, request: IntakeRequest) -> None:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise Rejected(
                415,
                "Only JSON is read here",
                f"Content-Type is {media_type or 'missing'}; send application/json.",
                faults=(Fault("content-type", "must be application/json"),),
            )
        limit = self._settings.intake_body_limit_bytes
        if len(request.body) > limit:
            raise Rejected(
                413, "The body is too large", f"The body has {len(request.body)} bytes; {limit} are allowed."
            )

    def _check_organisation(self, event: IntegrationEvent) -> None:
        """A copy of the environment has the same endpoints and row ids; its deletes must not stop real customers."""
        own = self._settings.dataverse_organisation
        if self._settings.own_organisation_only and event.organisation != own:
            raise Rejected(
                403,
                "Another organisation's event",
                f"The event is of organisation {event.organisation}; this app serves {own}. If its environment is a "
                "copy, disable the copied steps; if the app serves several, set OWN_ORGANISATION_ONLY to false.",
                faults=(Fault("/OrganizationId", f"must be {own}"),),
            )

    def _is_own_write(self, event: IntegrationEvent) -> bool:
        """Whether this app caused the event; never judged by Depth, which legitimate user actions raise too."""
        if event.tag == self._settings.write_tag:
            return True
        own_user = self._settings.dataverse_application_user_id
        return own_user is not None and event.initiating_user_id == own_user

    async def _queue(self, event: IntegrationEvent) -> None:
        try:
            acknowledged = asyncio.wrap_future(self._work_queue.send(event))
            await asyncio.wait_for(acknowledged, self._settings.intake_deadline_seconds)
        except (Transient, TimeoutError) as error:
            _log.warning("not-queued", event=event, error=error)
            raise Unavailable("The event could not be queued in time; send it again.") from error

    async def _write_down(self, event: IntegrationEvent) -> None:
        """The event is safe in the queue already: a ledger that is away costs the status a while, never the 202."""
        try:
            written = asyncio.wrap_future(self._ledger.accept(event))
            await asyncio.wait_for(asyncio.shield(written), _LEDGER_SECONDS)  # late is better than not at all
        except Exception as error:  # noqa: BLE001 -- whatever it is, the broker has the event
            _log.warning("ledger-behind", event=event, error=error)
