"""Business events of Finance & Operations that have no name in an address: from its queue, and from Event Grid."""

from collections.abc import Iterable, Mapping
from typing import Any

from integration.clock import Clock
from integration.events import IntegrationEvent
from integration.events.body import parse_body
from integration.events.business_event import ErpEventName
from integration.events.erp_event import read_business_event
from integration.intake.message_properties import text_properties
from integration.intake.receiving import EndpointMessage, Receiving
from integration.intake.taking_in import TakingIn


class BusinessEvents:
    """Reads them. `names` are those that flows declare; `organisation` is the Dataverse organisation they write to."""

    def __init__(self, names: Iterable[ErpEventName], *, organisation: str, clock: Clock) -> None:
        self._names = [*names]
        self._organisation = organisation
        self._clock = clock

    def read(self, document: Mapping[str, Any], headers: Mapping[str, str], caller: str) -> list[IntegrationEvent]:
        """One event, or none where Finance only tries out the endpoint. Raises `Rejected` (400)."""
        return read_business_event(document, headers, self._names, caller, self._organisation, self._clock.now())


class BusinessEventsQueue(Receiving):
    """Takes in the messages of the queue that an endpoint of Finance & Operations posts to.

    Their properties (category, BusinessEventId, legal entity) are there for filters; the body has all that counts.
    """

    def __init__(self, taking_in: TakingIn, business_events: BusinessEvents) -> None:
        super().__init__(taking_in)
        self._business_events = business_events

    def read(self, message: EndpointMessage, source: str) -> list[IntegrationEvent]:
        """The event of the business event in the body."""
        document = parse_body(message.body)
        events = self._business_events.read(document, text_properties(message.properties), source)
        self._taking_in.check_tables(events, source)
        return events
