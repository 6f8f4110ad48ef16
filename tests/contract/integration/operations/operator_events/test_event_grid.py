"""Operators' events in Event Grid: the stand-in gets what Microsoft's own client would have published."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from integration.clock import SystemClock
from integration.errors import Transient
from integration.messaging.event_grid import EventGridTopic, authorizer
from integration.operations.operator_events.event_grid import EventGridDelivery
from integration.transport import Host, Transport
from tests.contract.sandbox.systems.stand_in import StandIn, Start

KEY = "event-grid-sandbox-key"
PATHS = ("/api/events", "/topics/operators:publish")
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "5f1d2c",
    "source": "/organizations/a939603b-3dc7-46c5-a4c4-8406060c0af7",
    "type": "integration.breaker-opened",
    "subject": "erp",
    "time": "2026-11-27T03:12:50.123456Z",
    "datacontenttype": "application/json",
    "data": {"system": "erp", "why": "erp-timeout"},
}


@pytest.fixture(scope="module")
def event_grid(start: Start) -> StandIn:
    return start("event_grid")


@pytest.fixture
async def transport(event_grid: StandIn) -> AsyncIterator[Transport]:
    made = Transport([Host(event_grid.url)], clock=SystemClock())
    yield made
    await made.aclose()


def delivery(transport: Transport, endpoint: str, key: str = KEY) -> EventGridDelivery:
    admitted = authorizer(endpoint, key, None, SystemClock(), service="operator-events")
    return EventGridDelivery(EventGridTopic(transport, endpoint, admitted, service="operator-events"))


@pytest.mark.parametrize("path", PATHS)
async def test_an_event_arrives_as_from_microsofts_client(event_grid: StandIn, transport: Transport, path: str) -> None:
    """At a custom topic, and at one of a namespace."""
    await delivery(transport, f"{event_grid.url}{path}").deliver(EVENT)
    EventGridPublisherClient(f"{event_grid.url}/api/events", AzureKeyCredential(KEY)).send(CloudEvent.from_dict(EVENT))
    ours, theirs = event_grid.control("GET", "events").json()[-2:]
    assert ours == theirs == EVENT


@pytest.mark.parametrize("path", PATHS)
async def test_what_event_grid_does_not_take_is_kept_for_the_next_minute(
    event_grid: StandIn, transport: Transport, path: str
) -> None:
    with pytest.raises(Transient, match="answered 401") as refused:
        await delivery(transport, f"{event_grid.url}{path}", "another key").deliver(EVENT)
    assert refused.value.reason == "operator-events-refused"
