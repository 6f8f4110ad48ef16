"""Business events: what people have done is sent to an endpoint, in the envelope of Microsoft's docs.

The names of the events are the stand-in's own. The record stands in SalesOrderNumber or CustomerAccount; ControlNumber
rises. As there, an endpoint that is chosen gets a message to try it out first. Of the three endpoints one is active:

https         posts to the address of the app's event (`order-shipped`, `order-changed`)
service-bus   sends to a queue, with Microsoft's SDK
event-grid    posts as Event Grid delivers, for the topic and its subscription are played here too
"""

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

_NAMES = {"deliver": "order-shipped"}
_OTHERS, _OF_CUSTOMERS = "order-changed", "customer-changed"
_TRIAL = "BusinessEventsTestEndpointContract"
_NO_NUMBER = -(2**63)
"""What the message for a trial has in place of a ControlNumber."""
_FIRST_NUMBER = 5_637_144_576


class Endpoint(Protocol):
    """Where business events go."""

    def post(self, name: str, event: dict[str, Any]) -> None:
        """Send it, beside whatever is being answered; `name` is that of the app's event."""


@dataclass(slots=True)
class BusinessEvents:
    """Sends to the active one of `endpoints`."""

    endpoints: Mapping[str, Endpoint]
    active: str = "https"
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(_FIRST_NUMBER))

    def activate(self, endpoint: str, company: str) -> None:
        """Send there from now on, and try it out; `KeyError` where there is no such endpoint."""
        chosen = self.endpoints[endpoint]
        self.active = endpoint
        chosen.post(_OTHERS, _envelope(_TRIAL, company, _NO_NUMBER))

    def report(self, act: str, company: str, number: str) -> None:
        """Somebody has done this to the order."""
        event = _envelope(f"SandboxSalesOrder{act.capitalize()}BusinessEvent", company, next(self._numbers))
        self.endpoints[self.active].post(_NAMES.get(act, _OTHERS), {**event, "SalesOrderNumber": number})

    def report_customer(self, company: str, account: str) -> None:
        """Somebody has changed the customer."""
        event = _envelope("SandboxCustomerChangedBusinessEvent", company, next(self._numbers))
        self.endpoints[self.active].post(_OF_CUSTOMERS, {**event, "CustomerAccount": account})


def _envelope(business_event: str, company: str, number: int) -> dict[str, Any]:
    return {
        "BusinessEventId": business_event,
        "ControlNumber": number,
        "EventId": str(uuid.uuid4()).upper(),
        "EventTime": f"/Date({int(datetime.now(UTC).timestamp() * 1000)})/",
        "LegalEntity": company.upper(),
        "MajorVersion": 0,
        "MinorVersion": 0,
    }
