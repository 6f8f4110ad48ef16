"""Microsoft's Event Grid SDK and the CloudEvents SDK deliver to the app, as Event Grid and others do."""

import uuid
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent as AzureCloudEvent
from azure.eventgrid import EventGridEvent, EventGridPublisherClient
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from sandbox.client import Client
from sandbox.running.endpoints import Endpoints
from tests.end_to_end.journeys import context_of


def context() -> dict[str, Any]:
    """A context that has not been sent before."""
    return context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))


def settled_as_the_webhooks(client: Client, sent: list[dict[str, Any]]) -> None:
    """Each is an event that has ended, and the same one when it comes through the webhook."""
    for one in sent:
        event_id = client.app.post_webhook(one).json()["eventId"]
        assert client.app.wait_for(event_id)["state"] in {"no-handler", "superseded"}
        assert client.app.post_webhook(one).json()["eventId"] == event_id


@pytest.fixture
def publisher(client: Client, endpoints: Endpoints) -> EventGridPublisherClient:
    """It posts to the endpoint as to a topic; the key is in the address, as in the address of a subscription."""
    address = f"{client.app.url}/api/event-grid?code={endpoints.webhook_key}"
    return EventGridPublisherClient(address, AzureKeyCredential("not looked at"))


def test_microsofts_sdk_delivers_in_the_event_grid_schema(client: Client, publisher: EventGridPublisherClient) -> None:
    """A batch of two."""
    sent = [context(), context()]
    publisher.send([EventGridEvent("lead", "contoso.changed", it, "1") for it in sent])
    settled_as_the_webhooks(client, sent)


def test_microsofts_sdk_delivers_cloud_events(client: Client, publisher: EventGridPublisherClient) -> None:
    sent = [context(), context()]
    publisher.send([AzureCloudEvent("/contoso", "contoso.changed", data=it) for it in sent])
    settled_as_the_webhooks(client, sent)


@pytest.mark.parametrize("to_message", [to_structured_event, to_binary_event])
def test_the_cloud_events_sdk_delivers_in_both_modes(client: Client, endpoints: Endpoints, to_message: Any) -> None:
    sent = context()
    attributes = {"id": str(uuid.uuid4()), "source": "/contoso", "type": "contoso.changed", "specversion": "1.0"}
    message: HTTPMessage = to_message(CloudEvent(attributes | {"datacontenttype": "application/json"}, sent))
    answer = requests.post(
        f"{client.app.url}/api/event-grid",
        headers={**message.headers, "x-functions-key": endpoints.webhook_key},
        data=message.body,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    settled_as_the_webhooks(client, [sent])


def test_the_handshake_of_cloud_events_is_answered_by_the_app(client: Client, endpoints: Endpoints) -> None:
    """The Functions host passes OPTIONS on."""
    answer = requests.options(
        f"{client.app.url}/api/event-grid",
        params={"code": endpoints.webhook_key},
        headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
        timeout=10,
    )
    assert (answer.status_code, answer.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
