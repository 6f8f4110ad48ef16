"""Builds what watches Business Central: its company, and the subscriptions to its webhooks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from integration.clock import Clock
from integration.composition.systems import Systems
from integration.events.business_event import ErpEventName
from integration.intake.watched_company import CALLER as BUSINESS_CENTRAL
from integration.intake.watched_company import WatchedCompany
from integration.settings import Settings
from integration.settings.systems import BusinessCentral as BusinessCentralSettings
from integration.watching import Subscriptions

if TYPE_CHECKING:
    from integration.systems.business_central.webhooks import Webhooks


def watched_company(
    systems: Systems, settings: Settings, names: Iterable[ErpEventName], clock: Clock
) -> "tuple[Webhooks | None, WatchedCompany | None]":
    """The system that is Business Central: what it can be asked, and its company; the first one of several."""
    for name, system in settings.systems.items():
        if not isinstance(system, BusinessCentralSettings):
            continue
        from integration.systems.business_central import BusinessCentral  # noqa: PLC0415 -- few apps have it

        adapter = systems.others[name]
        if isinstance(adapter, BusinessCentral):
            organisation = settings.dataverse_organisation
            return adapter.webhooks, WatchedCompany(name, system.company, names, organisation=organisation, clock=clock)
    return None, None


def build_subscriptions(webhooks: "Webhooks | None", settings: Settings, clock: Clock) -> Subscriptions | None:
    """Where there is an address to send to, and a key to recognise what is sent; without them the sweep does it all."""
    keys = settings.intake_keys.get(BUSINESS_CENTRAL)
    if webhooks is None or not keys or settings.address is None:
        return None
    address = f"{settings.address}/api/erp/business-central"
    return Subscriptions(webhooks, clock, address=address, client_state=keys[0].get_secret_value())
