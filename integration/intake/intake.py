"""What the intake does with an event that is posted over HTTP: admit it, read it, queue it, record it, answer."""

from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.intake.dataverse_contexts import DataverseContexts
from integration.intake.taking_in import Accepted, IntakeRequest, Reader, TakingIn, with_own_writes


class Intake:
    """The endpoints for Dataverse, plug-ins and flows. Each raises `Rejected` (400 to 429) or `Unavailable` (503).

    A context about several rows becomes an event for each: all of them are queued, or none is accepted.
    """

    def __init__(self, taking_in: TakingIn, contexts: DataverseContexts) -> None:
        self._taking_in = taking_in
        self._contexts = contexts
        self._clock = taking_in.clock

    async def dataverse_webhook(self, request: IntakeRequest) -> list[Accepted]:
        """Take in a RemoteExecutionContext that a Dataverse webhook step posted."""
        return await self._take_in(request, "webhook", self._read_context)

    async def plugin_event(self, request: IntakeRequest) -> list[Accepted]:
        """Take in what a plug-in posted by itself."""
        return await self._take_in(request, "plug-in", self._read_plugin_event)

    async def row(self, request: IntakeRequest) -> list[Accepted]:
        """Take in a flat row that a flow of Power Automate or Logic Apps posted."""
        return await self._take_in(request, "row", self._read_row)

    def _read_context(self, request: IntakeRequest, caller: str) -> list[IntegrationEvent]:
        events = self._contexts.read(parse_body(request.body), request.headers)
        self._check(events, caller)
        return events

    def _read_plugin_event(self, request: IntakeRequest, caller: str) -> list[IntegrationEvent]:
        events = [self._contexts.read_plugin_event(parse_body(request.body), request.headers)]
        self._check(events, caller)
        return events

    def _read_row(self, request: IntakeRequest, caller: str) -> list[IntegrationEvent]:
        events = [self._contexts.read_flat_row(parse_body(request.body), request.headers, caller)]
        self._check(events, caller)
        return events

    def _check(self, events: list[IntegrationEvent], caller: str) -> None:
        self._taking_in.check_tables(events, caller)
        self._taking_in.check_organisations(events)

    async def _take_in(
        self, request: IntakeRequest, source: str, read: Reader[list[IntegrationEvent]]
    ) -> list[Accepted]:
        started = self._clock.monotonic()
        caller, events = await self._taking_in.admitted(request, source, read)
        foreign = self._contexts.foreign(events, caller)
        return with_own_writes(events, await self._taking_in.queue_all(foreign, caller, source, started))
