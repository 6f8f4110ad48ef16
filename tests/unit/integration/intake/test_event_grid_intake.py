"""What Event Grid delivers: handshakes, both schemas, batches, and what is no event of ours."""

import asyncio
import base64
import json
from typing import Any

import azure.functions as func
import pytest

from integration.errors import Rejected, Transient, Unavailable, Unreadable
from integration.events import from_envelope
from integration.intake import Accepted, event_grid_functions
from tests.unit.integration.events.support import OTHER_ROW, context, entity, pair
from tests.unit.integration.intake.support import HEADERS, UnderTest, request

PLUGIN = {
    "EventName": "AccountUpdated",
    "RecordId": "aaaaaaaa-0000-4000-8000-000000000001",
    "Timestamp": "2026-11-26T12:01:47Z",
}


def grid_event(data: Any, **changed: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "topic": "/subscriptions/1",
        "subject": "account",
        "eventType": "contoso.changed",
        "eventTime": "2026-11-26T12:00:00Z",
        "dataVersion": "1",
        "data": data,
        **changed,
    }


def cloud_event(data: Any, **changed: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/contoso", "type": "contoso.changed", "data": data, **changed}


def deliver(under_test: UnderTest, body: Any, **headers: str) -> list[Accepted]:
    taken = asyncio.run(under_test.event_grid.deliver(request(body, headers)))
    assert isinstance(taken, list)
    return taken


def call(under_test: UnderTest, method: str, body: bytes, **headers: str) -> func.HttpResponse:
    """Call the function as the host does; header names with `_` for `-`."""
    app = func.FunctionApp()
    app.register_functions(event_grid_functions.blueprint(under_test.event_grid))
    (function,) = [it.get_user_function() for it in app.get_functions()]
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    asked = func.HttpRequest(method, "https://app.contoso.example/api/event-grid", headers=named, params={}, body=body)
    answer = asyncio.run(function(asked))
    assert isinstance(answer, func.HttpResponse)
    return answer


def test_the_handshake_of_the_event_grid_schema() -> None:
    """Event Grid sends a code while a subscription is made, and wants it back."""
    event = grid_event(
        {"validationCode": "512d38b6", "validationUrl": "https://example"},
        eventType="Microsoft.EventGrid.SubscriptionValidationEvent",
    )
    answer = call(UnderTest(), "POST", json.dumps([event]).encode(), aeg_event_type="SubscriptionValidation")
    assert (answer.status_code, json.loads(answer.get_body())) == (200, {"validationResponse": "512d38b6"})


@pytest.mark.parametrize("data", [None, {}, {"validationCode": 5}, "x"])
def test_a_handshake_without_a_code_is_refused(data: Any) -> None:
    event = grid_event(data, eventType="Microsoft.EventGrid.SubscriptionValidationEvent")
    assert call(UnderTest(), "POST", json.dumps([event]).encode()).status_code == 400


def test_the_handshake_of_cloud_events() -> None:
    """OPTIONS asks whether this sender may send (CloudEvents 1.0, Web Hooks for Event Delivery, Abuse Protection)."""
    answer = call(UnderTest(), "OPTIONS", b"", webhook_request_origin="eventgrid.azure.net")
    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"
    assert call(UnderTest(), "OPTIONS", b"").status_code == 400


@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_nobody_shakes_hands_without_a_key(method: str) -> None:
    """Else anybody could direct a subscription here."""
    answer = call(UnderTest(), method, b"[]", x_functions_key="wrong", webhook_request_origin="x")
    assert answer.status_code == 401


@pytest.mark.parametrize("event", [grid_event, cloud_event])
def test_a_context_is_the_event_of_the_webhook(event: Any) -> None:
    """In both schemas, alone and in a batch, as an object, as its JSON, and in base64."""
    expected = UnderTest().webhook(context()).event_id
    encoded = base64.b64encode(json.dumps(context()).encode()).decode()
    in_base64 = {name: value for name, value in event(None, data_base64=encoded).items() if name != "data"}
    bodies = [event(context()), [event(context())], event(json.dumps(context())), in_base64]
    assert [deliver(UnderTest(), body)[0].event_id for body in bodies] == [expected] * 4


def test_the_binary_mode_has_its_attributes_in_headers() -> None:
    under_test = UnderTest()
    attributes = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/contoso", "ce_type": "contoso.changed"}
    (accepted,) = deliver(under_test, context(), **attributes)
    assert accepted.event_id == UnderTest().webhook(context()).event_id


@pytest.mark.parametrize("media", ["application/cloudevents+json", "application/cloudevents-batch+json; charset=utf-8"])
def test_the_media_types_of_cloud_events_are_read(media: str) -> None:
    assert (
        call(UnderTest(), "POST", json.dumps([cloud_event(context())]).encode(), content_type=media).status_code == 200
    )


def test_a_plug_in_payload_has_the_identity_of_its_event() -> None:
    """Without an OperationId of its own, so that a second delivery is the same event, and another event is another."""
    once, again, other, own = (
        deliver(UnderTest(), cloud_event(data, id=number))[0].event_id
        for number, data in (
            ("1", PLUGIN),
            ("1", PLUGIN),
            ("2", PLUGIN),
            ("1", {**PLUGIN, "OperationId": "eeeeeeee-0000-4000-8000-000000000005"}),
        )
    )
    assert once == again
    assert len({once, other, own}) == 3


def test_the_trace_goes_on() -> None:
    """CloudEvents have it as an extension, or the request has it."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    under_test = UnderTest()
    deliver(under_test, cloud_event(context(), traceparent=trace, tracestate="rojo=1"), tracestate="other=1")
    deliver(under_test, grid_event(context()), traceparent=trace, tracestate="rojo=1")
    assert [str(event.traceparent)[3:35] for event in under_test.queue.events] == [trace[3:35]] * 2
    assert [event.tracestate for event in under_test.queue.events] == ["rojo=1"] * 2


def test_an_odd_event_in_a_batch_is_a_dead_letter_and_the_others_are_taken_in() -> None:
    """A 400 would make Event Grid give the whole batch up."""
    under_test = UnderTest()
    accepted = deliver(under_test, [grid_event(context()), "odd", grid_event({"MessageName": 5}), grid_event(None)])
    assert len(accepted) == 1
    first, *refused = under_test.queue.envelopes
    assert from_envelope(first).event_id == accepted[0].event_id
    for envelope in refused:
        with pytest.raises(Unreadable) as found:
            from_envelope(envelope)
        assert found.value.reason == "not-an-event"
    assert len(refused) == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ("odd", 400),
        (grid_event(None), 400),
        (grid_event([1]), 400),
        (cloud_event("not JSON"), 400),
        ({"specversion": "1.0", "id": "1", "data_base64": "?"}, 400),
        ([grid_event(None)] * 5_001, 413),
    ],
)
def test_a_single_event_that_cannot_be_read_is_refused(body: Any, status: int) -> None:
    """Event Grid then puts it where the subscription's own dead letters go."""
    under_test = UnderTest(INTAKE_BODY_LIMIT_BYTES="2000000")
    with pytest.raises(Rejected) as refused:
        deliver(under_test, body)
    assert refused.value.status == status
    assert under_test.queue.envelopes == []


def test_another_organisations_event_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        deliver(UnderTest(OWN_ORGANISATION_ONLY="true"), grid_event(context()))
    assert refused.value.status == 403


def test_the_end_of_a_subscription_is_no_event() -> None:
    event = grid_event({}, eventType="Microsoft.EventGrid.SubscriptionDeletedEvent")
    assert deliver(UnderTest(), [event]) == []


def test_our_own_write_and_several_rows_are_what_they_are_elsewhere() -> None:
    under_test = UnderTest()
    own = context(entity(new_erpnumber="1"), SharedVariables=[pair("tag", "dataverse-integration")])
    several = context(
        MessageName="UpdateMultiple",
        OperationId="12121212-0000-4000-8000-000000000005",
        InputParameters=[pair("Targets", {"Entities": [entity(name="A"), entity(row=OTHER_ROW, name="B")]})],
    )
    accepted = deliver(under_test, [grid_event(own), grid_event(several)])
    assert [it.status for it in accepted] == ["own-write", "accepted", "accepted"]
    assert len(under_test.queue.events) == 2


def test_what_is_not_queued_is_delivered_again() -> None:
    """Event Grid tries again after 503, for a day."""
    under_test = UnderTest()
    under_test.queue.fails = Transient("away")
    with pytest.raises(Unavailable):
        deliver(under_test, [grid_event(context()), "odd"])
    assert call(under_test, "POST", json.dumps([grid_event(context())]).encode()).status_code == 503
