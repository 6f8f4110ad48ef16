"""What callers of the intake, and organisations, may do: through which endpoints, about which tables, and how often."""

from collections.abc import Iterable, Mapping
from typing import Final

from integration.admission import Rates
from integration.clock import Clock
from integration.errors import Fault, Rejected
from integration.events import IntegrationEvent
from integration.settings.types import CallerRights, OrganisationRights

_EVERYTHING: Final = CallerRights()


class Rights:
    """The rights of the callers by name, and of organisations by id; one that is not named may send everything."""

    def __init__(
        self, rights: Mapping[str, CallerRights], organisations: Mapping[str, OrganisationRights], clock: Clock
    ) -> None:
        self._rights = rights
        self._organisations = organisations
        self._rates = Rates(clock)

    def check_endpoint(self, caller: str, source: str) -> None:
        """Raise `Rejected` (403, not-allowed) where the caller may not send through this endpoint."""
        allowed = self._of(caller).endpoints
        if allowed is not None and source not in allowed:
            raise Rejected(
                403,
                "Not an endpoint of this caller",
                f"The caller {caller} may not send through the endpoint {source}; INTAKE_RIGHTS gives it "
                f"{', '.join(sorted(allowed)) or 'none'}.",
                reason="not-allowed",
            )

    def check_tables(self, caller: str, events: Iterable[IntegrationEvent]) -> None:
        """Raise `Rejected` (403, not-allowed) where the caller may not send about the table of one of the events."""
        allowed = self._of(caller).tables
        refused = sorted({event.table for event in events} - allowed) if allowed is not None else []
        if refused:
            raise Rejected(
                403,
                "Not a table of this caller",
                f"The caller {caller} may not send about {', '.join(refused)}; INTAKE_RIGHTS gives it "
                f"{', '.join(sorted(allowed or ())) or 'none'}.",
                faults=(Fault("/PrimaryEntityName", "must be a table of this caller"),),
                reason="not-allowed",
            )

    def tables_of(self, caller: str) -> frozenset[str] | None:
        """The tables that the caller may send about, and be told of; None for all."""
        return self._of(caller).tables

    def check_rate(self, caller: str) -> None:
        """Count a request. Raise `Rejected` (429, too-many-requests, with `retry_after`) where it is one too many."""
        self._rates.count(f"caller {caller}", self._of(caller).requests_per_minute, "INTAKE_RIGHTS")

    def check_organisations(self, events: Iterable[IntegrationEvent]) -> None:
        """Count a request for each organisation whose events it brings. Raises as `check_rate` does."""
        if self._organisations:
            for organisation in sorted({event.organisation for event in events} & self._organisations.keys()):
                most = self._organisations[organisation].requests_per_minute
                self._rates.count(f"organisation {organisation}", most, "ORGANISATIONS")

    def _of(self, caller: str) -> CallerRights:
        return self._rights.get(caller, _EVERYTHING)
