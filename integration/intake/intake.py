"""What the intake does with an event of Dataverse: admit it, read it, queue it, record it in the ledger, answer."""

from collections.abc import Collection, Mapping

from integration.errors import Fault, Rejected
from integration.events import (
    IntegrationEvent,
    WantsOf,
    nothing,
    read_plugin_event,
    read_remote_execution_context,
)
from integration.intake.own_writes import OwnWrites
from integration.intake.taking_in import Accepted, IntakeRequest, Reader, TakingIn
from integration.settings import Settings
from integration.telemetry import get_logger

_log = get_logger(__name__)


class Intake:
    """The two endpoints for Dataverse. Each raises `Rejected` (400, 401, 403, 413, 415) or `Unavailable` (503).

    `wants_of` says which values events carry, `results` which columns this app writes, by table.
    """

    def __init__(
        self,
        settings: Settings,
        taking_in: TakingIn,
        *,
        wants_of: WantsOf = nothing,
        results: Mapping[str, Collection[str]],
    ) -> None:
        self._settings = settings
        self._taking_in = taking_in
        self._clock = taking_in.clock
        self._wants_of = wants_of
        self._own_writes = OwnWrites(settings.write_tag, results)
        self._plugin_events = {name: (it.table, it.message) for name, it in settings.plugin_events.items()}

    async def dataverse_webhook(self, request: IntakeRequest) -> Accepted:
        """Take in a RemoteExecutionContext that a Dataverse webhook step posted."""
        return await self._take_in(request, "webhook", self._read_context)

    async def plugin_event(self, request: IntakeRequest) -> Accepted:
        """Take in what a plug-in posted by itself."""
        return await self._take_in(request, "plug-in", self._read_plugin_event)

    def _read_context(self, request: IntakeRequest, caller: str) -> IntegrationEvent:  # noqa: ARG002 -- a reader
        return self._of_own_organisation(
            read_remote_execution_context(
                request.body,
                headers=request.headers,
                accepted_time=self._clock.now(),
                repair_mojibake=self._settings.repair_mojibake,
                wants_of=self._wants_of,
            )
        )

    def _read_plugin_event(self, request: IntakeRequest, caller: str) -> IntegrationEvent:  # noqa: ARG002 -- a reader
        return self._of_own_organisation(
            read_plugin_event(
                request.body,
                headers=request.headers,
                accepted_time=self._clock.now(),
                organisation=self._settings.dataverse_organisation,
                event_names=self._plugin_events,
            )
        )

    async def _take_in(self, request: IntakeRequest, source: str, read: Reader[IntegrationEvent]) -> Accepted:
        started = self._clock.monotonic()
        caller, event = self._taking_in.admitted(request, source, read)
        if event in self._own_writes:
            _log.info("own-write", event=event, caller=caller, changed=[*(event.changed_columns or ())])
            return Accepted(event.event_id, event.correlation_id, "own-write")
        return await self._taking_in.queue(event, caller, source, started)

    def _of_own_organisation(self, event: IntegrationEvent) -> IntegrationEvent:
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
        return event
