"""Subscriptions to the webhooks of Business Central: made where they are missing, renewed long before they end."""

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from integration.clock import Clock
from integration.events.business_central_notification import LASTS, SUBSCRIBED
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from integration.systems.business_central.webhooks import Subscription, Webhooks

RENEWED_BEFORE: Final = LASTS - timedelta(days=1)
"""They are renewed daily, so that two days without this app end none of them."""
_log = get_logger(__name__)


class Subscriptions:
    """Keeps one subscription for each kind of rows; raises what the calls raise, and goes on with the next run.

    `address` is where notifications go, and `client_state` the secret by which they are recognised. Business Central
    itself is asked what there is, so nothing has to be remembered, and what it has deleted is made again.
    """

    def __init__(self, webhooks: "Webhooks", clock: Clock, *, address: str, client_state: str) -> None:
        self._webhooks = webhooks
        self._clock = clock
        self._address = address
        self._client_state = client_state

    async def keep(self) -> None:
        """Make what is missing, and renew what ends within two days."""
        there = {self._kind(it): it for it in await self._webhooks.subscriptions() if it.url == self._address}
        for kind in SUBSCRIBED:
            found = there.get(kind)
            if found is None:
                await self._webhooks.subscribe(kind, self._address, self._client_state)
                _log.info("subscribed", effect=kind)
            elif found.expires - self._clock.now() < RENEWED_BEFORE:
                await self._webhooks.renew(found, self._client_state)
                _log.info("subscription-renewed", effect=kind)

    def _kind(self, it: "Subscription") -> str:
        """The kind of rows of one of our company, else nothing: its resource may have been given another prefix."""
        company, _, kind = it.resource.rpartition("/")
        return kind if company.lower().endswith(f"companies({self._webhooks.company.lower()})") else ""
