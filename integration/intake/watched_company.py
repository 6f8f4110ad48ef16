"""The one company of Business Central that is watched, and what has changed there as events."""

from collections.abc import Iterable, Mapping
from typing import Final

from integration.clock import Clock
from integration.events import IntegrationEvent
from integration.events.business_central_notification import Changed
from integration.events.business_event import ErpEventName
from integration.events.erp_event import erp_events
from integration.events.erp_fields import Hint

CALLER: Final = "business-central"
"""The caller of INTAKE_KEYS whose key is the clientState of our subscriptions."""
SOURCE: Final = "business-central"


class WatchedCompany:
    """Makes the same event of a change whether a notification or the sweep has seen it.

    `system` is the name of its system in the settings and `company` its id; `names` are the names that flows take.
    """

    def __init__(
        self, system: str, company: str, names: Iterable[ErpEventName], *, organisation: str, clock: Clock
    ) -> None:
        self.system = system
        self.company = company
        self._names = {it.name: it for it in names}
        self._organisation = organisation
        self._clock = clock

    def events(self, changes: Iterable[Changed], headers: Mapping[str, str] | None = None) -> list[IntegrationEvent]:
        """The events of these changes; none for a change that no flow takes."""
        hints: dict[ErpEventName, list[Hint]] = {}
        for changed in changes:
            name = self._name_of(changed)
            if name is not None:
                hints.setdefault(name, []).append(_hint_of(changed))
        return [
            event
            for name, many in hints.items()
            for event in erp_events(
                many,
                headers=headers or {},
                name=name,
                caller=CALLER,
                organisation=self._organisation,
                accepted_time=self._clock.now(),
            )
        ]

    def _name_of(self, changed: Changed) -> ErpEventName | None:
        """What a change is taken in as: `order-changed` for records `erp.order`, where a flow takes that."""
        found = self._names.get(f"{changed.kind}-changed")
        return found if found is not None and found.kind == f"{self.system}.{changed.kind}" else None


def _hint_of(changed: Changed) -> Hint:
    at = "" if changed.at is None else changed.at.isoformat()
    return Hint(id=at, source=SOURCE, record=changed.record, time=changed.at)
