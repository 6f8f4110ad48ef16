"""Business Central's webhooks: subscriptions to kinds of records, and what has changed since a time.

A subscription lasts three days and is renewed by a PATCH; both calls make Business Central ask the address for the
token that it sends there. Source: Microsoft Learn, "Working with webhooks in Dynamics 365 Business Central".
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from integration.events.business_central_notification import POSTED, SUBSCRIBED, Changed
from integration.systems.business_central.errors import business_central_failure
from integration.systems.business_central.reports import modified
from integration.systems.business_central.webservice import HEADERS, Company
from integration.systems.odata.calls import Calls
from integration.transport import NO_CONTEXT, Authorizer, CallContext, Sender, validated

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as Business Central has it."""

    id: str
    url: str
    resource: str
    expires: datetime
    etag: str


class _Row(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    subscription_id: str
    notification_url: str
    resource: str
    expiration_date_time: AwareDatetime
    etag: str = Field(alias="@odata.etag")


class _Rows(BaseModel):
    value: list[_Row]


class Webhooks:
    """The subscriptions of an environment, for one company; raises what the transport raises and errors of its own."""

    def __init__(
        self, sender: Sender, service: str, authorizer: Authorizer, *, base_url: str, company: str, rows: Company
    ) -> None:
        self.company = company
        self._calls = Calls(sender, service, authorizer, failure=business_central_failure, headers=HEADERS)
        self._root = base_url.rstrip("/")
        self._rows = rows

    def resource(self, kind: str) -> str:
        """What is subscribed to for a kind of rows."""
        return f"/api/v2.0/companies({self.company})/{kind}"

    async def subscriptions(self, *, context: CallContext = NO_CONTEXT) -> list[Subscription]:
        """All subscriptions of the environment, those of others as well."""
        request = self._calls.request("list subscriptions", "GET", f"{self._root}/subscriptions")
        answer = await self._calls.send(request, context)
        return [
            Subscription(it.subscription_id, it.notification_url, it.resource, it.expiration_date_time, it.etag)
            for it in validated(_Rows, answer).value
        ]

    async def subscribe(self, kind: str, url: str, client_state: str, *, context: CallContext = NO_CONTEXT) -> None:
        """Have the changes of a kind of rows sent to `url` for three days, each with `client_state`."""
        body = {"notificationUrl": url, "resource": self.resource(kind), "clientState": client_state}
        await self._calls.send(self._calls.request("subscribe", "POST", f"{self._root}/subscriptions", body), context)

    async def renew(self, it: Subscription, client_state: str, *, context: CallContext = NO_CONTEXT) -> None:
        """For another three days."""
        body = {"notificationUrl": it.url, "resource": it.resource, "clientState": client_state}
        url = f"{self._root}/subscriptions('{quote(it.id, safe='')}')"
        request = self._calls.request("renew subscription", "PATCH", url, body, {"If-Match": it.etag})
        await self._calls.send(request, context)

    async def changed_since(
        self, kind: str, since: datetime, *, context: CallContext = NO_CONTEXT
    ) -> AsyncIterator[Changed]:
        """The records of which a row of this kind has changed after `since`; of invoices, their orders."""
        async for row in self._rows.changed_since(kind, since, page=_PAGE, context=context):
            if kind != POSTED:
                yield Changed(SUBSCRIBED[kind], str(row["id"]).lower(), modified(row))
            elif str(row.get("orderId") or "").strip("0-"):  # an invoice without an order has the zero GUID
                yield Changed("order", str(row["orderId"]).lower(), modified(row))
