"""What the intake makes of what Dataverse, a plug-in or a flow has sent, whichever way: events of our organisation."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from integration.clock import Clock
from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent, WantsOf, nothing, read_contexts, read_flat_row, read_plugin_event
from integration.events.wants import everything
from integration.intake.own_writes import OwnWrites
from integration.settings import Settings
from integration.telemetry import get_logger

_log = get_logger(__name__)


class DataverseContexts:
    """Reads contexts, plug-in payloads and flat rows.

    `wants_of` says which values events carry, `results` which columns this app writes, by table.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        wants_of: WantsOf = nothing,
        results: Mapping[str, Collection[str]],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wants_of = wants_of
        self._own_writes = OwnWrites(settings.write_tag, results)
        self._served = {settings.dataverse_organisation, *settings.organisations}
        self._plugin_events = {name: (it.table, it.message) for name, it in settings.plugin_events.items()}

    def read(self, document: dict[str, Any], headers: Mapping[str, str]) -> list[IntegrationEvent]:
        """The events, one for each row. Raises `Rejected` (400, 403)."""
        return self._read(document, headers, self._wants_of)

    def read_whole(self, document: dict[str, Any], headers: Mapping[str, str]) -> list[IntegrationEvent]:
        """The same with all values that there are, for those who use them at once."""
        return self._read(document, headers, everything)

    def _read(self, document: dict[str, Any], headers: Mapping[str, str], wants_of: WantsOf) -> list[IntegrationEvent]:
        events = read_contexts(
            document,
            headers=headers,
            accepted_time=self._clock.now(),
            repair_mojibake=self._settings.repair_mojibake,
            wants_of=wants_of,
        )
        return [self._of_own_organisation(event) for event in events]

    def read_plugin_event(self, document: dict[str, Any], headers: Mapping[str, str]) -> IntegrationEvent:
        """The event of a plug-in payload. Raises `Rejected` (400, 403)."""
        event = read_plugin_event(
            document,
            headers=headers,
            accepted_time=self._clock.now(),
            organisation=self._settings.dataverse_organisation,
            event_names=self._plugin_events,
        )
        return self._of_own_organisation(event)

    def read_flat_row(self, document: dict[str, Any], headers: Mapping[str, str], caller: str) -> IntegrationEvent:
        """The event of a row that a flow with the key of `caller` has sent. Raises `Rejected` (400)."""
        return read_flat_row(
            document,
            headers=headers,
            caller=caller,
            accepted_time=self._clock.now(),
            organisation=self._settings.dataverse_organisation,
            wants_of=self._wants_of,
        )

    def foreign(self, events: Iterable[IntegrationEvent], caller: str) -> list[IntegrationEvent]:
        """The events that this app has not caused itself; the others end here."""
        foreign = []
        for event in events:
            if event in self._own_writes:
                _log.info("own-write", event=event, caller=caller, changed=[*(event.changed_columns or ())])
            else:
                foreign.append(event)
        return foreign

    def _of_own_organisation(self, event: IntegrationEvent) -> IntegrationEvent:
        """A copied environment posts to the same endpoints with the same row ids.

        Its deletes must not block real customers.
        """
        own = self._settings.dataverse_organisation
        if event.organisation not in self._served and self._settings.own_organisation_only:
            raise Rejected(
                403,
                "Another organisation's event",
                f"The event is of organisation {event.organisation}; this app serves {own}. If its environment is a "
                "copy, disable the copied steps; if the app serves several, name them in ORGANISATIONS.",
                faults=(Fault("/OrganizationId", f"must be {own}"),),
            )
        return event
