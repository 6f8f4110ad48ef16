"""Queues, topics and hubs of other namespaces that Dataverse and Finance & Operations post to."""

from pydantic import Field, SecretStr

from integration.settings.part import NAMESPACE, Part, optional


class ServiceEndpoints(Part):
    """Queues, topics and hubs of other namespaces that Dataverse and Finance & Operations post to."""

    dataverse_service_bus_connection: SecretStr | None = optional(
        "DataverseServiceBus",
        "Connection string of the Service Bus namespace that service endpoints of Dataverse post to.",
    )
    dataverse_service_bus_namespace: str | None = optional("DataverseServiceBus__fullyQualifiedNamespace", NAMESPACE)
    dataverse_service_bus_client_id: str | None = optional(
        "DataverseServiceBus__clientId", "Client id of the user-assigned identity for that namespace."
    )
    dataverse_event_hubs_connection: SecretStr | None = optional(
        "DataverseEventHubs",
        "Connection string of the Event Hubs namespace that service endpoints of Dataverse post to.",
    )
    dataverse_event_hubs_namespace: str | None = optional("DataverseEventHubs__fullyQualifiedNamespace", NAMESPACE)
    dataverse_event_hubs_client_id: str | None = optional(
        "DataverseEventHubs__clientId", "Client id of the user-assigned identity for that namespace."
    )
    business_events_service_bus_connection: SecretStr | None = optional(
        "BusinessEventsServiceBus",
        "Connection string of the Service Bus namespace that Finance & Operations posts business events to.",
    )
    business_events_service_bus_namespace: str | None = optional(
        "BusinessEventsServiceBus__fullyQualifiedNamespace", NAMESPACE
    )
    business_events_service_bus_client_id: str | None = optional(
        "BusinessEventsServiceBus__clientId", "Client id of the user-assigned identity for that namespace."
    )
    business_events_queue: str | None = optional(
        "BUSINESS_EVENTS_QUEUE",
        "Queue that an endpoint of Finance & Operations posts business events to; without it, none is read.",
    )
    dataverse_queue: str | None = optional(
        "DATAVERSE_QUEUE", "Queue that a service endpoint of Dataverse posts to; without it, no queue is read."
    )
    dataverse_topic: str | None = optional(
        "DATAVERSE_TOPIC", "Topic that a service endpoint of Dataverse posts to; without it, no topic is read."
    )
    dataverse_subscription: str | None = optional("DATAVERSE_SUBSCRIPTION", "The app's subscription of that topic.")
    dataverse_hub: str | None = optional(
        "DATAVERSE_HUB", "Event hub that a service endpoint of Dataverse posts to; without it, no hub is read."
    )
    dataverse_consumer_group: str = Field(
        default="$Default", alias="DATAVERSE_CONSUMER_GROUP", description="The app's consumer group of that hub."
    )
