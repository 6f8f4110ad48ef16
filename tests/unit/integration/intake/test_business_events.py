"""Business events of Finance & Operations from its queue and from Event Grid: one event each, and what is refused."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.errors import Unreadable
from integration.events import from_envelope
from integration.intake import EndpointMessage
from tests.unit.integration.events.test_business_event import TRIAL
from tests.unit.integration.intake.support import UnderTest, request
from tests.unit.integration.intake.test_event_grid_intake import cloud_event, deliver, grid_event

SOURCE = "business-events-queue"
POSTED = {
    "BusinessEventId": "SalesInvoicePostedBusinessEvent",
    "ControlNumber": 5637149827,
    "EventId": "0F4C2C1E-51E7-4B5B-A4D9-8B7C1B0B6A0C",
    "EventTime": f"/Date({int(datetime.now(UTC).timestamp() * 1000)})/",
    "LegalEntity": "USMF",
    "InvoiceAccount": "US-001",
    "SalesId": "SO-1",
}
PROPERTIES = {b"BusinessEventCategory": b"SalesOrder", b"BusinessEventId": b"SalesInvoicePostedBusinessEvent"}


def take_in(under_test: UnderTest, body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    asyncio.run(under_test.business_events_queue.take_in(EndpointMessage(raw, PROPERTIES), SOURCE))


def test_it_is_the_same_event_on_each_way_and_however_often_it_comes() -> None:
    queued, grid, https = UnderTest(), UnderTest(), UnderTest()
    take_in(queued, POSTED)
    take_in(queued, b"\xef\xbb\xbf" + json.dumps(POSTED).encode())
    for document in (grid_event(POSTED), cloud_event(POSTED), grid_event(json.dumps(POSTED))):
        deliver(grid, document)
    https.erp_events("order-changed", POSTED)
    events = [*queued.queue.events, *grid.queue.events, *https.queue.events]
    assert len(events) == 6
    assert len({it.event_id for it in events}) == 1
    assert {(it.table, it.message, it.record_id) for it in events} == {("erp.order", "order-changed", "SO-1")}
    assert queued.queue.events[0].caller == SOURCE
    assert len(queued.ledger.events) == 2


def test_the_message_that_tries_out_an_endpoint_is_accepted_on_each_way() -> None:
    under_test = UnderTest()
    take_in(under_test, TRIAL)
    assert deliver(under_test, grid_event(TRIAL)) == []
    assert under_test.erp_events("order-changed", TRIAL) == []
    assert under_test.queue.envelopes == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**POSTED, "BusinessEventId": "CollectionLetterSentBusinessEvent", "SalesId": ""}, "business-event-unknown"),
        ({**POSTED, "SalesId": ""}, "not-an-event"),
        ({**POSTED, "EventId": None}, "not-an-event"),
        ([POSTED], "not-an-event"),
        (b"no JSON", "not-an-event"),
    ],
)
def test_what_is_refused_is_a_dead_letter_with_its_reason(body: Any, reason: str) -> None:
    """Nobody hears a refusal at a queue."""
    under_test = UnderTest()
    take_in(under_test, body)
    (envelope,) = under_test.queue.envelopes
    with pytest.raises(Unreadable) as found:
        from_envelope(envelope)
    assert found.value.reason == reason


def test_event_grid_is_told_to_give_up_an_event_that_no_flow_takes() -> None:
    """A single one with 400; of a batch it becomes a dead letter."""
    under_test, unknown = UnderTest(), {**POSTED, "BusinessEventId": "Other", "SalesId": ""}
    with pytest.raises(Exception, match="business_events") as found:
        asyncio.run(under_test.event_grid.deliver(request(grid_event(unknown), {})))
    assert getattr(found.value, "status", 0) == 400
    deliver(under_test, [grid_event(POSTED), grid_event(unknown)])
    assert len(under_test.queue.envelopes) == 2


def test_rights_hold_for_the_queue_too() -> None:
    rights = json.dumps({SOURCE: {"tables": ["erp.customer"]}})
    under_test = UnderTest(INTAKE_RIGHTS=rights)
    take_in(under_test, POSTED)
    with pytest.raises(Unreadable, match=r"erp\.order"):
        from_envelope(under_test.queue.envelopes[0])
