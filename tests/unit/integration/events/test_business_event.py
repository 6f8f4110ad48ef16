"""Which flow takes a business event that comes without a name in an address."""

import json
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events import IntegrationEvent
from integration.events.business_event import ErpEventName
from integration.events.erp_event import read_business_event, read_erp_events
from tests.unit.integration.events.support import ACCEPTED
from tests.unit.integration.events.test_erp_event import FINANCE

ORDER = ErpEventName("order-changed", "erp.order", ("SalesOrderNumber", "SalesId"), ("InvoicePosted",))
SHIPPED = ErpEventName("order-shipped", "erp.order", ("SalesOrderNumber", "SalesId"), ("OrderShipped",))
CUSTOMER = ErpEventName("customer-changed", "erp.customer", ("CustomerAccount",))
NAMES = (ORDER, SHIPPED, CUSTOMER)
TRIAL = {
    "BusinessEventId": "BusinessEventsTestEndpointContract",
    "ControlNumber": -9223372036854775808,
    "EventId": "8D1220EB-E514-4E35-844E-E062DEF0C05D",
}


def read(**changed: Any) -> list[IntegrationEvent]:
    return read_business_event({**FINANCE, **changed}, {}, NAMES, "finance", "contoso", ACCEPTED)


def test_an_event_that_a_flow_lists_is_taken_under_that_name() -> None:
    """Although it names a customer, too."""
    [event] = read(BusinessEventId="OrderShipped", CustomerAccount="C-1")
    assert (event.message, event.session_id) == ("order-shipped", "erp.order:SO-1")


def test_any_other_is_taken_by_the_only_flow_whose_record_it_names() -> None:
    """Under the first of its names."""
    [event] = read()
    assert (event.message, event.record_id) == ("order-changed", "SO-1")
    [event] = read(SalesOrderNumber="", CustomerAccount="C-1")
    assert (event.table, event.record_id) == ("erp.customer", "C-1")


@pytest.mark.parametrize("changed", [{"CustomerAccount": "C-1"}, {"SalesOrderNumber": ""}, {"BusinessEventId": None}])
def test_where_that_leaves_a_choice_it_is_refused_and_says_what_to_do(changed: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match=r"business_events|EventId") as found:
        read(**changed)
    assert found.value.status == 400


def test_it_is_the_event_of_its_https_endpoint() -> None:
    """The same id, should it come on two ways."""
    [there] = read_erp_events(
        json.dumps({**FINANCE, "BusinessEventId": "InvoicePosted"}).encode(),
        headers={},
        name=ORDER,
        caller="finance",
        organisation="contoso",
        accepted_time=ACCEPTED,
    )
    assert read(BusinessEventId="InvoicePosted")[0].event_id == there.event_id


def test_the_message_that_tries_out_an_endpoint_is_accepted_and_is_no_event() -> None:
    """Finance sends it when an event is activated, and takes a refusal for an endpoint that does not work."""
    assert read_business_event(TRIAL, {}, NAMES, "finance", "contoso", ACCEPTED) == []
