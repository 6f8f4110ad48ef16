"""Where events go that have ended: the archive, Event Grid, webhooks."""

from pydantic import Field, SecretStr

from integration.settings.part import Part, optional
from integration.settings.types import Url


class SettledEvents(Part):
    """Where events go that have ended: the archive, Event Grid, webhooks."""

    events_consumer_group: str = Field(
        default="archive", alias="EVENTS_CONSUMER_GROUP", description="Consumer group of the archive sink."
    )
    archive_container: str = Field(
        default="integration-events", alias="ARCHIVE_CONTAINER", description="Blob container of the archive sink."
    )
    event_grid_endpoint: Url | None = optional(
        "EVENT_GRID_ENDPOINT",
        "Where settled events are published to in Event Grid, without a query: the address of a custom topic "
        "(.../api/events) or of a topic of a namespace (.../topics/NAME:publish). Without it, nothing is.",
    )
    event_grid_key: SecretStr | None = optional(
        "EVENT_GRID_KEY", "Key of that topic; without it the managed identity is used."
    )
    event_grid_client_id: str | None = optional(
        "EVENT_GRID_CLIENT_ID", "Client id of the user-assigned identity for Event Grid."
    )
    event_grid_consumer_group: str = Field(
        default="event-grid",
        alias="EVENT_GRID_CONSUMER_GROUP",
        description="Consumer group of EVENTS_HUB that is published from.",
    )
    webhooks_queue: str | None = optional(
        "WEBHOOKS_QUEUE", "Queue of the deliveries of webhooks; without it, nobody can subscribe to ended events."
    )
    webhooks_consumer_group: str = Field(
        default="webhooks",
        alias="WEBHOOKS_CONSUMER_GROUP",
        description="Consumer group of EVENTS_HUB that webhooks are made from.",
    )
    webhooks_private_receivers: bool = Field(
        default=False,
        alias="WEBHOOKS_PRIVATE_RECEIVERS",
        description="Let subscribers name addresses of private networks and plain http. Whoever may subscribe can then "
        "have the app call whatever it can reach.",
    )
