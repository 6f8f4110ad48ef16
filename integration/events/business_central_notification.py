"""What Business Central's webhooks send, and which records are watched there.

It has no signature, only the `clientState` of the subscription, and no values. Source: Microsoft Learn, "Working with
webhooks in Dynamics 365 Business Central".
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SUBSCRIBED: Final = {"customers": "customer", "salesOrders": "order"}
"""The kinds of rows that are subscribed to, and what their events are about."""
POSTED: Final = "salesInvoices"
"""An order that is posted disappears, which no query shows; its invoice names it."""
LASTS: Final = timedelta(days=3)
_RESOURCE = re.compile(r".*/companies\(([0-9a-fA-F-]{36})\)/(\w+)\(([0-9a-fA-F-]{36})\)", re.ASCII)


class Notification(BaseModel):
    """One entry of what a webhook sends; `resource` names a row, or with changeType `collection` a query for rows."""

    model_config = ConfigDict(alias_generator=to_camel)

    subscription_id: str = Field(min_length=1, max_length=200)
    client_state: str = Field(default="", max_length=2048)
    resource: str = Field(min_length=1, max_length=2000)
    change_type: str = Field(min_length=1, max_length=50)
    last_modified_date_time: AwareDatetime | None = None

    def changed(self, company: str) -> "Changed | None":
        """The record of the company that it is about; None for a query, for other kinds and other companies."""
        found = _RESOURCE.fullmatch(self.resource.partition("?")[0])
        if found is None or found[1].lower() != company.lower() or found[2] not in SUBSCRIBED:
            return None
        return Changed(SUBSCRIBED[found[2]], found[3].lower(), self.last_modified_date_time)


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that has changed: its kind (`customer`, `order`), its id, and when."""

    kind: str
    record: str
    at: datetime | None
