"""Finance & Operations sends a business event to a queue and through Event Grid: it ends in the row, once.

The sender is that of its stand-in. The records are read from the ERP of this sandbox; with the one of Finance &
Operations, tests/end_to_end/erps does the same.
"""

import asyncio
from collections.abc import Iterator

import pytest

from sandbox.azure.topology import optional_settings
from sandbox.client import Client
from sandbox.running.endpoints import Endpoints
from sandbox.systems.finance_operations.business_events import BusinessEvents
from sandbox.systems.finance_operations.endpoints import EventGridEndpoint, QueueEndpoint
from tests.end_to_end.journeys import Person
from tests.end_to_end.test_events_back import SHIPPED, row_shows, settled, won


@pytest.fixture
def shipped(client: Client) -> Iterator[str]:
    """An opportunity whose order is shipped in the ERP, which keeps that to itself."""
    opportunity = won(Person(client))
    client.erp.set_events(held=True)
    client.erp.ship(opportunity)
    yield opportunity
    client.erp.set_events()


@pytest.mark.parametrize("way", ["service-bus", "event-grid"])
def test_a_business_event_ends_in_the_row(client: Client, endpoints: Endpoints, shipped: str, way: str) -> None:
    """After the message that tries out the endpoint, which is no event; one business event is one event."""

    async def send() -> None:
        queue = QueueEndpoint(endpoints.servicebus, optional_settings()["BUSINESS_EVENTS_QUEUE"])
        grid = EventGridEndpoint(f"{client.app.url}/api/event-grid?code={endpoints.erp_events_key}")
        finance = BusinessEvents({"service-bus": queue, "event-grid": grid})
        finance.activate(way, "usmf")
        finance.report("deliver", "usmf", shipped)
        await queue.sent()
        await grid.sent()

    asyncio.run(send())
    row_shows(client, "opportunity", shipped, new_erporderstatus=SHIPPED)
    [status] = settled(client, "erp.order", shipped, 1)
    assert (status["message"], status["state"]) == ("order-changed", "completed")
