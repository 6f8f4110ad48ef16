"""Where events go that have ended: sinks for analytics, and webhooks."""

from typing import Literal

from pydantic import Field, SecretStr

from integration.settings.part import NAMESPACE, Part, optional
from integration.settings.types import Connection, DeltaAddress, Url


class SettledEvents(Part):
    """Where events go that have ended: sinks for analytics, and webhooks."""

    events_consumer_group: str = Field(
        default="archive", alias="EVENTS_CONSUMER_GROUP", description="Consumer group of the archive sink."
    )
    archive_container: str = Field(
        default="integration-events", alias="ARCHIVE_CONTAINER", description="Blob container of the archive sink."
    )
    event_grid_endpoint: Url | None = optional(
        "EVENT_GRID_ENDPOINT",
        "Where settled events are published to in Event Grid, without a query: the address of a custom topic "
        "(.../api/events) or of a topic of a namespace (.../topics/NAME:publish). Without it, nothing is published.",
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
    set_aside_container: str = Field(
        default="set-aside",
        alias="SET_ASIDE_CONTAINER",
        description="Blob container of the rows that a sink will never take, with the reason.",
    )
    log_analytics_endpoint: Url | None = optional(
        "LOG_ANALYTICS_ENDPOINT",
        "Logs ingestion endpoint of the data collection rule that settled events are sent to "
        "(https://NAME.REGION-1.ingest.monitor.azure.com). Without it, none are sent.",
    )
    log_analytics_rule: str | None = optional(
        "LOG_ANALYTICS_RULE", "Immutable id of that rule (dcr-...). Needed with LOG_ANALYTICS_ENDPOINT."
    )
    log_analytics_stream: str = Field(
        default="Custom-IntegrationEvents_CL",
        alias="LOG_ANALYTICS_STREAM",
        description="The stream that the rule declares for them.",
    )
    log_analytics_client_id: str | None = optional(
        "LOG_ANALYTICS_CLIENT_ID",
        "Client id of the user-assigned identity for Azure Monitor, or of the application with "
        "LOG_ANALYTICS_CLIENT_SECRET.",
    )
    log_analytics_client_secret: SecretStr | None = optional(
        "LOG_ANALYTICS_CLIENT_SECRET",
        "Secret of an application in place of the identity, for a workspace in another tenant.",
    )
    log_analytics_token_url: Url | None = optional(
        "LOG_ANALYTICS_TOKEN_URL",
        "Token endpoint of that tenant (https://login.microsoftonline.com/TENANT/oauth2/v2.0/token).",
    )
    log_analytics_consumer_group: str = Field(
        default="log-analytics",
        alias="LOG_ANALYTICS_CONSUMER_GROUP",
        description="Consumer group of EVENTS_HUB that is sent from.",
    )
    fabric_connection: SecretStr | None = optional(
        "Fabric", "Connection string of the custom endpoint of an Eventstream, or of another event hub."
    )
    fabric_namespace: str | None = optional("Fabric__fullyQualifiedNamespace", NAMESPACE)
    fabric_client_id: str | None = optional(
        "Fabric__clientId", "Client id of the user-assigned identity for that endpoint."
    )
    fabric_hub: str | None = optional(
        "FABRIC_HUB_NAME", "Name of the event hub of that endpoint; without it, no settled events are sent there."
    )
    fabric_consumer_group: str = Field(
        default="fabric", alias="FABRIC_CONSUMER_GROUP", description="Consumer group of EVENTS_HUB that is sent from."
    )
    lake_container: str | None = optional(
        "LAKE_CONTAINER_NAME",
        "Blob container that settled events are written to as Parquet; without it, none are written. Needs the "
        "libraries of requirements-lake.in (docs/how-to/analytics.md).",
    )
    lake_account: str | None = optional(
        "LAKE_ACCOUNT",
        "Storage account of that container, by name, reached with the app's identity. Without it, it is in the "
        "account of the archive.",
    )
    lake_consumer_group: str = Field(
        default="lake", alias="LAKE_CONSUMER_GROUP", description="Consumer group of EVENTS_HUB that is written from."
    )
    delta_table: DeltaAddress | None = optional(
        "DELTA_TABLE",
        "Delta table that settled events are appended to, which the app makes: "
        "abfss://WORKSPACE-ID@onelake.dfs.fabric.microsoft.com/LAKEHOUSE-ID/Tables/NAME in OneLake, "
        "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER in a storage account, or az://CONTAINER/FOLDER in the "
        "account of the archive. Without it, none are appended. Needs the libraries of requirements-delta.in "
        "(docs/how-to/analytics.md).",
    )
    delta_consumer_group: str = Field(
        default="delta", alias="DELTA_CONSUMER_GROUP", description="Consumer group of EVENTS_HUB that is appended from."
    )
    delta_upkeep: bool = Field(
        default=True,
        alias="DELTA_UPKEEP",
        description="Put the table's small files together every ten minutes, and remove what nobody reads any more. "
        "False where Fabric's own table maintenance does so.",
    )
    functions: Literal["all", "sinks", "others"] = Field(
        default="all",
        alias="APP_FUNCTIONS",
        description="Which functions the app has: all; the sinks of settled events alone; or all others. So two apps "
        "can be made of the same code and settings, of which one has the libraries that only sinks need.",
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

    @property
    def fabric(self) -> Connection:
        return Connection(self.fabric_connection, self.fabric_namespace, self.fabric_client_id)
