"""Whatever is sent: over HTTP only 2xx, 4xx or 503 is answered, and no message of a broker raises or is lost."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integration.errors import Unreadable
from integration.events import from_envelope
from integration.intake import EndpointMessage, event_grid_functions
from integration.public_address import PublicAddress
from sandbox.systems.dataverse.context_xml import dumps_xml
from tests.unit.integration.events.support import ROW, context, entity, pair
from tests.unit.integration.intake.support import HEADERS, UnderTest

TEXT = st.text(st.characters(codec=None), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["/Date(1)/", "Target", "0"])
ANY = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
KEYS = st.sampled_from(
    [*context(), "Targets", "SubordinateId", "OutputParameters", "id", "data", "specversion", "type"]
)
MESSAGES = st.sampled_from(["Update", "CreateMultiple", "UpdateMultiple", "DeleteMultiple", "Merge", "Associate"])


@st.composite
def contexts(draw: st.DrawFn) -> dict[str, Any]:
    """A context of which some parts are anything."""
    rows = {"Entities": [draw(ANY), entity(name=draw(ANY))]}
    parameters = [pair("Target", entity(name="A")), pair("Targets", draw(st.just(rows) | ANY))]
    document = context(MessageName=draw(MESSAGES), InputParameters=draw(st.just(parameters) | ANY))
    return document | draw(st.dictionaries(KEYS, ANY, max_size=3))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bytes, JSON, contexts in both forms, events of Event Grid, rows; some are cut."""
    document = draw(ANY | contexts())
    business = {"BusinessEventId": "Posted", "EventId": "e-1", "ControlNumber": 1, "SalesId": "SO-1"}
    row = {"table": "account", "id": ROW, "message": "Update", "rowVersion": 1, "time": "2026-11-20T19:05:00Z"}
    wrapped = draw(
        st.sampled_from(
            [
                document,
                [document],
                {"data": document},
                {"specversion": "1.0", "data": document},
                business | {draw(st.sampled_from([*business, "EventTime", "CustomerAccount"])): document},
                {"data": business | {"SalesId": document}},
                row | {"columns": document},
                row | {draw(st.sampled_from([*row, "operationId", "changedColumns"])): document},
            ]
        )
    )
    body: bytes = draw(st.just(json.dumps(wrapped).encode()) | st.binary(max_size=60) | st.just(_as_xml(document)))
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


def _as_xml(document: Any) -> bytes:
    try:
        return dumps_xml(document).encode("utf-8", "surrogatepass")
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return b"<RemoteExecutionContext/>"


def functions(under_test: UnderTest) -> dict[str, Any]:
    app = func.FunctionApp()
    app.register_functions(under_test.blueprint(PublicAddress(None)))
    app.register_functions(event_grid_functions.blueprint(under_test.event_grid))
    return {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}


@pytest.mark.parametrize("name", ["dataverse_webhook", "plugin_event", "flat_row", "erp_events", "event_grid_delivery"])
@settings(max_examples=40)
@given(body=bodies(), header=TEXT)
def test_every_request_gets_an_answer_that_means_something(name: str, body: bytes, header: str) -> None:
    """Never 500, of which Dataverse learns nothing; and 2xx only for what is queued or our own."""
    under_test = UnderTest()
    request = func.HttpRequest(
        "POST",
        f"https://app.contoso.example/api/{name}",
        headers={**HEADERS, "x-correlation-id": header, "traceparent": header},
        params={},
        route_params={"name": "order-shipped"},
        body=body,
    )
    answer = asyncio.run(functions(under_test)[name](request))
    assert answer.status_code in {200, 202, 400, 413}, answer.get_body()
    if answer.status_code == 202:
        assert len(under_test.queue.envelopes) == len(json.loads(answer.get_body()).get("events", [None]))


@given(
    body=bodies(), properties=st.dictionaries(TEXT | st.binary(max_size=5), SCALARS | st.binary(max_size=5), max_size=3)
)
def test_every_message_of_a_broker_becomes_events_or_a_dead_letter(body: bytes, properties: dict[Any, Any]) -> None:
    """It is completed afterwards, so nothing else may become of it."""
    for way in ("endpoints", "business_events_queue"):
        under_test = UnderTest()
        asyncio.run(getattr(under_test, way).take_in(EndpointMessage(body, properties), way))
        assert under_test.queue.envelopes
        for envelope in under_test.queue.envelopes:
            if envelope.startswith(b'{"refused"'):
                with pytest.raises(Unreadable) as refused:
                    from_envelope(envelope)
                assert refused.value.reason not in {"unreadable", "unexpected-error"}
            else:
                assert from_envelope(envelope).caller == way
