"""The Service Bus and Event Hub triggers of the intake, each where its setting names a queue, a topic or a hub."""

from typing import List  # noqa: UP035 -- the runtime refuses list[...] as a trigger's annotation

import azure.functions as func

from integration.intake.business_events import BusinessEventsQueue
from integration.intake.receiving import EndpointMessage
from integration.intake.service_endpoints import ServiceEndpoints
from integration.settings import Settings

_SERVICE_BUS = "DataverseServiceBus"
_EVENT_HUBS = "DataverseEventHubs"
_BUSINESS_EVENTS = "BusinessEventsServiceBus"


def blueprint(endpoints: ServiceEndpoints, business_events: BusinessEventsQueue, settings: Settings) -> func.Blueprint:
    """Bind the endpoints that are configured: those of Dataverse, and the one of Finance & Operations.

    Bodies are bound as bytes, as in the worker: Dataverse's have a CorrelationId at the top, which as text would
    overwrite that of the trigger.
    """
    bp = func.Blueprint()
    if settings.dataverse_queue:
        _queue(bp, endpoints, settings.dataverse_queue)
    if settings.dataverse_topic and settings.dataverse_subscription:
        _topic(bp, endpoints, settings.dataverse_topic, settings.dataverse_subscription)
    if settings.dataverse_hub:
        _hub(bp, endpoints, settings.dataverse_hub, settings.dataverse_consumer_group)
    if settings.business_events_queue:
        _business_events(bp, business_events, settings.business_events_queue)
    return bp


def _queue(bp: func.Blueprint, endpoints: ServiceEndpoints, queue: str) -> None:
    @bp.service_bus_queue_trigger(
        arg_name="message", queue_name=queue, connection=_SERVICE_BUS, data_type=func.DataType.BINARY
    )
    async def dataverse_queue(message: func.ServiceBusMessage) -> None:
        await endpoints.take_in(_of_service_bus(message), "dataverse-queue")


def _topic(bp: func.Blueprint, endpoints: ServiceEndpoints, topic: str, subscription: str) -> None:
    @bp.service_bus_topic_trigger(
        arg_name="message",
        topic_name=topic,
        subscription_name=subscription,
        connection=_SERVICE_BUS,
        data_type=func.DataType.BINARY,
    )
    async def dataverse_topic(message: func.ServiceBusMessage) -> None:
        await endpoints.take_in(_of_service_bus(message), "dataverse-topic")


def _hub(bp: func.Blueprint, endpoints: ServiceEndpoints, hub: str, consumer_group: str) -> None:
    """A batch that the broker does not take is retried in place, as the host moves the checkpoint on in any case."""

    @bp.event_hub_message_trigger(
        arg_name="events",
        event_hub_name=hub,
        connection=_EVENT_HUBS,
        consumer_group=consumer_group,
        cardinality=func.Cardinality.MANY,
        data_type=func.DataType.BINARY,
    )
    @bp.retry(
        strategy="exponential_backoff", max_retry_count="-1", minimum_interval="00:00:01", maximum_interval="00:01:00"
    )
    async def dataverse_hub(events: List[func.EventHubEvent]) -> None:  # noqa: UP006 -- see the import
        await endpoints.take_in_all([*map(_of_event_hubs, events, range(len(events)))], "dataverse-hub")


def _business_events(bp: func.Blueprint, business_events: BusinessEventsQueue, queue: str) -> None:
    @bp.service_bus_queue_trigger(
        arg_name="message", queue_name=queue, connection=_BUSINESS_EVENTS, data_type=func.DataType.BINARY
    )
    async def business_events_queue(message: func.ServiceBusMessage) -> None:
        await business_events.take_in(_of_service_bus(message), "business-events-queue")


def _of_service_bus(message: func.ServiceBusMessage) -> EndpointMessage:
    return EndpointMessage(message.get_body(), message.application_properties or {}, message.content_type or "")


def _of_event_hubs(event: func.EventHubEvent, number: int) -> EndpointMessage:
    """Properties are in the metadata of the batch, which each of its events has."""
    metadata = event.metadata or {}
    properties = metadata.get("PropertiesArray") or []
    system = metadata.get("SystemPropertiesArray") or []
    content_type = system[number].get("content-type") if number < len(system) else None
    return EndpointMessage(
        event.get_body(), properties[number] if number < len(properties) else {}, str(content_type or "")
    )
