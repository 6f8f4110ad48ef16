"""Sends a context the ways that it can take besides the webhook, with Microsoft's SDKs, and its row as a flow does."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import requests
from azure.eventhub import EventData, EventHubProducerClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from sandbox.azure.topology import optional_settings
from sandbox.running.endpoints import Endpoints

_JSON: Final = "application/json"
_TIMEOUT: Final = 30.0


def other_ways(reached: Endpoints) -> Mapping[str, Callable[[str], None]]:
    """What sends a context, as JSON, by the name of its way; returns once it is there."""
    names = optional_settings()

    def to_service_bus(path: str, *, topic: bool) -> Callable[[str], None]:
        def send(context: str) -> None:
            with ServiceBusClient.from_connection_string(reached.servicebus) as client:
                sender = client.get_topic_sender(path) if topic else client.get_queue_sender(path)
                with sender:
                    sender.send_messages(ServiceBusMessage(context, content_type=_JSON))

        return send

    def to_hub(context: str) -> None:
        hub = names["DATAVERSE_HUB"]
        with EventHubProducerClient.from_connection_string(reached.eventhubs, eventhub_name=hub) as producer:
            event = EventData(context)
            event.content_type = _JSON
            producer.send_batch([event])

    def to_event_grid(context: str) -> None:
        envelope = f'{{"specversion":"1.0","id":"demo","source":"/demo","type":"demo.changed","data":{context}}}'
        headers = {"Content-Type": "application/cloudevents+json", "x-functions-key": reached.webhook_key}
        url = f"{reached.functions}/api/event-grid"
        requests.post(url, data=envelope.encode(), headers=headers, timeout=_TIMEOUT).raise_for_status()

    def as_row(context: str) -> None:
        of_row = json.loads(context)
        row = {"table": of_row["PrimaryEntityName"], "id": of_row["PrimaryEntityId"], "message": of_row["MessageName"]}
        sent = {"operationId": of_row["OperationId"], "time": datetime.now(UTC).isoformat()}
        url, headers = f"{reached.functions}/api/rows", {"x-functions-key": reached.plugin_key}
        requests.post(url, json=row | sent, headers=headers, timeout=_TIMEOUT).raise_for_status()

    return {
        "queue": to_service_bus(names["DATAVERSE_QUEUE"], topic=False),
        "topic": to_service_bus(names["DATAVERSE_TOPIC"], topic=True),
        "hub": to_hub,
        "Event Grid": to_event_grid,
        "row of a flow": as_row,
    }
