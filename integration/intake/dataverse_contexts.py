"""What the intake makes of a RemoteExecutionContext, whichever way it came: an event of our organisation, or none."""

from collections.abc import Collection, Mapping
from typing import Any

from integration.clock import Clock
from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent, WantsOf, nothing, read_context
from integration.intake.own_writes import OwnWrites
from integration.settings import Settings


class DataverseContexts:
    """Reads contexts. `wants_of` says which values events carry, `results` which columns this app writes, by table."""

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

    def read(self, document: dict[str, Any], headers: Mapping[str, str]) -> IntegrationEvent:
        """The event. Raises `Rejected` (400, 403)."""
        return self.of_own_organisation(
            read_context(
                document,
                headers=headers,
                accepted_time=self._clock.now(),
                repair_mojibake=self._settings.repair_mojibake,
                wants_of=self._wants_of,
            )
        )

    def is_own_write(self, event: IntegrationEvent) -> bool:
        """Whether this app caused the event itself."""
        return event in self._own_writes

    def of_own_organisation(self, event: IntegrationEvent) -> IntegrationEvent:
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
