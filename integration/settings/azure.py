"""Storage, Service Bus and Event Hubs, and the entities of them that are the app's own."""

from pydantic import Field, SecretStr

from integration.settings.part import NAMESPACE, Part, optional


class AzureServices(Part):
    """Storage, Service Bus and Event Hubs, and the entities of them that are the app's own."""

    storage_connection: SecretStr | None = optional(
        "AzureWebJobsStorage",
        "Connection string of the storage account (ledger tables, archive blobs, the host's own state).",
    )
    storage_account: str | None = optional(
        "AzureWebJobsStorage__accountName",
        "The account's name, in place of the connection string; it is reached with the managed identity.",
    )
    storage_client_id: str | None = optional(
        "AzureWebJobsStorage__clientId", "Client id of the user-assigned identity for storage."
    )
    service_bus_connection: SecretStr | None = optional("ServiceBus", "Connection string of the Service Bus namespace.")
    service_bus_namespace: str | None = optional("ServiceBus__fullyQualifiedNamespace", NAMESPACE)
    service_bus_client_id: str | None = optional(
        "ServiceBus__clientId", "Client id of the user-assigned identity for Service Bus."
    )
    event_hubs_connection: SecretStr | None = optional("EventHubs", "Connection string of the Event Hubs namespace.")
    event_hubs_namespace: str | None = optional("EventHubs__fullyQualifiedNamespace", NAMESPACE)
    event_hubs_client_id: str | None = optional(
        "EventHubs__clientId", "Client id of the user-assigned identity for Event Hubs."
    )
    work_queue: str = Field(
        default="work", alias="WORK_QUEUE", description="Session queue between the intake and the worker."
    )
    events_hub: str = Field(
        default="integration-events", alias="EVENTS_HUB", description="Event hub that settled events are published to."
    )
    message_limit_bytes: int = Field(
        default=196_608,
        ge=16_384,
        le=1_000_000,
        alias="MESSAGE_LIMIT_BYTES",
        description="Largest queue message in bytes; what an event carries beyond it is kept in Blob Storage until the "
        "event ends. Service Bus Standard takes 256 KB with all properties.",
    )
    claim_check_container: str = Field(
        default="claim-checks",
        alias="CLAIM_CHECK_CONTAINER",
        description="Blob container of what events carry and their messages cannot hold.",
    )
    ledger_copies_container: str = Field(
        default="ledger-copies",
        alias="LEDGER_COPIES_CONTAINER",
        description="Blob container of the ledger's daily copies.",
    )
    ledger_copies_account: str | None = optional(
        "LEDGER_COPIES_ACCOUNT",
        "Storage account of the ledger's daily copies, by name, reached with the app's identity. Without "
        "it they are in the account of the ledger itself, and are lost with it.",
    )
    website_hostname: str | None = optional(
        "WEBSITE_HOSTNAME",
        "The app's host name, which Azure sets: Business Central is told to send its notifications there "
        "where `PUBLIC_URL` is not set.",
    )
