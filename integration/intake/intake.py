"""What the intake does with an event that is posted over HTTP: admit it, read it, queue it, record it, answer."""

from integration.events import IntegrationEvent, read_plugin_event
from integration.events.body import parse_body
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.taking_in import Accepted, IntakeRequest, Reader, TakingIn
from integration.settings import Settings
from integration.telemetry import get_logger

_log = get_logger(__name__)


class Intake:
    """The two endpoints for Dataverse. Each raises `Rejected` (400, 401, 403, 413, 415) or `Unavailable` (503)."""

    def __init__(self, settings: Settings, taking_in: TakingIn, contexts: DataverseContexts) -> None:
        self._taking_in = taking_in
        self._contexts = contexts
        self._clock = taking_in.clock
        self._organisation = settings.dataverse_organisation
        self._plugin_events = {name: (it.table, it.message) for name, it in settings.plugin_events.items()}

    async def dataverse_webhook(self, request: IntakeRequest) -> Accepted:
        """Take in a RemoteExecutionContext that a Dataverse webhook step posted."""
        return await self._take_in(request, "webhook", self._read_context)

    async def plugin_event(self, request: IntakeRequest) -> Accepted:
        """Take in what a plug-in posted by itself."""
        return await self._take_in(request, "plug-in", self._read_plugin_event)

    def _read_context(self, request: IntakeRequest, caller: str) -> IntegrationEvent:  # noqa: ARG002 -- a reader
        return self._contexts.read(parse_body(request.body), request.headers)

    def _read_plugin_event(self, request: IntakeRequest, caller: str) -> IntegrationEvent:  # noqa: ARG002 -- a reader
        return self._contexts.of_own_organisation(
            read_plugin_event(
                request.body,
                headers=request.headers,
                accepted_time=self._clock.now(),
                organisation=self._organisation,
                event_names=self._plugin_events,
            )
        )

    async def _take_in(self, request: IntakeRequest, source: str, read: Reader[IntegrationEvent]) -> Accepted:
        started = self._clock.monotonic()
        caller, event = self._taking_in.admitted(request, source, read)
        if self._contexts.is_own_write(event):
            _log.info("own-write", event=event, caller=caller, changed=[*(event.changed_columns or ())])
            return Accepted(event.event_id, event.correlation_id, "own-write")
        return await self._taking_in.queue(event, caller, source, started)
