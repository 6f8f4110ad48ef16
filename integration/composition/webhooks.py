"""Builds the webhooks that the app sends, where the settings name a queue for them."""

from collections.abc import Callable, Mapping

import azure.functions as func

from integration.clock import Clock
from integration.composition import connections
from integration.intake import TakingIn
from integration.ledger import Ledger, keys
from integration.messaging.queue_sender import QueueSender
from integration.public_address import PublicAddress
from integration.settings import Settings
from integration.settings.types import CallerRights
from integration.transport import AnyHost, Limits, RetryPolicy, Transport
from integration.webhooks.deliveries import Deliverer, Deliveries
from integration.webhooks.fan_out import FanOut
from integration.webhooks.functions import routes, triggers
from integration.webhooks.store import Subscriptions
from integration.webhooks.subscribing import Subscribing

_LIMITS = Limits(connect=5.0, read=10.0, total=15.0, answer_bytes=1024 * 1024)
"""A receiver that is slower than this takes the notification and answers first, and works on it then."""


def webhook_blueprints(
    settings: Settings,
    queue: str,
    *,
    taking_in: TakingIn,
    ledger: Ledger,
    address: PublicAddress,
    tables_of: Mapping[str, frozenset[str]],
    policy: RetryPolicy,
    clock: Clock,
) -> list[func.Blueprint]:
    """The functions; `queue` is that of the deliveries, and `tables_of` has the tables of each flow."""
    receivers = AnyHost(_LIMITS, private=settings.webhooks_private_receivers)
    store = Subscriptions(ledger.table(keys.SUBSCRIPTIONS))
    deliveries = Deliveries(
        QueueSender(lambda: connections.service_bus_client(settings), queue, thread="webhooks", clock=clock)
    )
    transport = Transport([], clock=clock, elsewhere=receivers)
    return [
        routes(Subscribing(store, receivers, tables_of.keys(), clock), taking_in, address),
        triggers(
            FanOut(store, deliveries, tables_of, may_know(settings)),
            Deliverer(store, deliveries, transport, policy, clock),
            hub=settings.events_hub,
            consumer_group=settings.webhooks_consumer_group,
            queue=queue,
        ),
    ]


def may_know(settings: Settings) -> Callable[[str, str], bool]:
    """A caller that is none any more, or has lost its rights, is not told, whatever it has subscribed to before."""
    callers = {*settings.intake_keys, *settings.intake_applications}

    def may_know_of(caller: str, table: str) -> bool:
        rights = settings.intake_rights.get(caller, CallerRights())
        return (
            caller in callers
            and (rights.endpoints is None or "subscriptions" in rights.endpoints)
            and (rights.tables is None or table in rights.tables)
        )

    return may_know_of
