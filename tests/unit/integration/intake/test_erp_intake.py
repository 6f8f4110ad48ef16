"""The endpoint for events of an ERP: whom it admits, what it refuses, what it answers."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.errors import Rejected, Transient, Unavailable
from integration.public_address import PublicAddress
from tests.unit.integration.intake.support import HEADERS, UnderTest

EVENT = {"id": "e-1", "record": "SO-1"}
OTHER = {"id": "e-2", "record": "SO-2"}


def refusal(under_test: UnderTest, name: str, body: Any, **headers: str) -> Rejected:
    with pytest.raises(Rejected) as refused:
        under_test.erp_events(name, body, **headers)
    return refused.value


def post(under_test: UnderTest, body: Any) -> func.HttpResponse:
    """Call the function as the host does."""
    app = func.FunctionApp()
    app.register_functions(under_test.blueprint(PublicAddress("https://app.example")))
    functions = {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}
    request = func.HttpRequest(
        "POST",
        "https://app.example/api/erp/events/order-shipped",
        headers=HEADERS,
        params={},
        route_params={"name": "order-shipped"},
        body=json.dumps(body).encode(),
    )
    answer = asyncio.run(functions["erp_events"](request))
    assert isinstance(answer, func.HttpResponse)
    return answer


def test_an_event_is_queued_under_its_record_with_its_caller() -> None:
    under_test = UnderTest()
    [accepted] = under_test.erp_events("order-shipped", EVENT)
    [event] = under_test.queue.events
    assert (event.event_id, event.session_id, event.caller) == (accepted.event_id, "erp.order:SO-1", "dataverse")
    assert [it.event_id for it in under_test.ledger.events] == [accepted.event_id]


@pytest.mark.parametrize(
    ("name", "body", "headers", "status"),
    [
        ("order-lost", EVENT, {}, 404),
        ("order-shipped", EVENT, {"x_functions_key": "wrong-key-wrong-key"}, 401),
        ("order-shipped", EVENT, {"content_type": "text/plain"}, 415),
        ("order-shipped", {"id": "e-1"}, {}, 400),
        ("order-shipped", b" " * 600_000, {}, 413),
    ],
)
def test_what_is_refused_is_in_no_queue(name: str, body: Any, headers: dict[str, str], status: int) -> None:
    under_test = UnderTest()
    assert refusal(under_test, name, body, **headers).status == status
    assert under_test.queue.envelopes == []


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    assert "order-changed, order-shipped" in refusal(UnderTest(), "nothing", EVENT).detail


def test_nobody_without_a_key_learns_the_names() -> None:
    assert refusal(UnderTest(), "nothing", EVENT, x_functions_key="").status == 401


def test_a_list_is_taken_in_as_a_whole_or_not_at_all() -> None:
    under_test = UnderTest()
    refusal(under_test, "order-shipped", [EVENT, {"id": "e-2"}])
    assert under_test.queue.envelopes == []
    assert len(under_test.erp_events("order-shipped", [EVENT, OTHER])) == 2
    assert [it.record_id for it in under_test.queue.events] == ["SO-1", "SO-2"]


def test_a_queue_that_is_away_is_503_and_nothing_is_written_down() -> None:
    under_test = UnderTest()
    under_test.queue.fails = Transient("away", reason="broker-unavailable")
    with pytest.raises(Unavailable):
        under_test.erp_events("order-shipped", [EVENT, OTHER])
    assert under_test.ledger.events == []


def test_one_event_is_answered_as_elsewhere_and_several_with_an_address_each() -> None:
    one = post(UnderTest(), EVENT)
    found = json.loads(one.get_body())
    assert (one.status_code, found["status"]) == (202, "accepted")
    assert one.headers["Location"] == f"https://app.example/api/events/{found['eventId']}/outcome"
    several = json.loads(post(UnderTest(), [EVENT, OTHER]).get_body())["events"]
    assert [it["location"].split("/")[-2] for it in several] == [it["eventId"] for it in several]
    assert len(several) == 2
