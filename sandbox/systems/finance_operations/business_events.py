"""Business events: what people have done to an order is posted to an endpoint, in the envelope of Microsoft's docs.

The names of the events are the stand-in's own. The record stands in SalesOrderNumber; ControlNumber rises.
"""

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.systems.outbox import Outbox

_NAMES = {"deliver": "order-shipped"}
_OTHERS = "order-changed"


@dataclass(slots=True)
class BusinessEvents:
    """Posts them through `outbox`; by the name of what was done, the address ends with the one of the app's event."""

    outbox: Outbox
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(5_637_144_576))

    def report(self, act: str, company: str, number: str) -> None:
        """Somebody has done this to the order."""
        event = {
            "BusinessEventId": f"SandboxSalesOrder{act.capitalize()}BusinessEvent",
            "ControlNumber": next(self._numbers),
            "EventId": str(uuid.uuid4()).upper(),
            "EventTime": f"/Date({int(datetime.now(UTC).timestamp() * 1000)})/",
            "LegalEntity": company.upper(),
            "MajorVersion": 0,
            "MinorVersion": 0,
            "SalesOrderNumber": number,
        }
        self.outbox.post(_NAMES.get(act, _OTHERS), event)
