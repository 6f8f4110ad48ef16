"""Builds a topic of Event Grid, for settled events and for operators' events."""

from typing import TYPE_CHECKING

from pydantic import SecretStr

from integration.clock import Clock
from integration.transport import Sender

if TYPE_CHECKING:
    from integration.messaging.event_grid import EventGridTopic


def event_grid_topic(  # noqa: PLR0917 -- called twice
    endpoint: object, key: SecretStr | None, client_id: str | None, sender: Sender, clock: Clock, service: str
) -> "EventGridTopic":
    """The topic at an address of the settings, with a key of it, or with the managed identity of `client_id`."""
    from integration.messaging.event_grid import EventGridTopic, authorizer  # noqa: PLC0415 -- few apps use it

    address, secret = str(endpoint), key.get_secret_value() if key else None
    admitted = authorizer(address, secret, client_id, clock, service=service)
    return EventGridTopic(sender, address, admitted, service=service)
