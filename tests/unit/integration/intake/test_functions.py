"""What callers of the intake get over HTTP."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.errors import Transient
from integration.public_address import PublicAddress
from tests.unit.integration.events.support import OTHER_ROW, ROW, context, entity, pair, payload
from tests.unit.integration.intake.support import HEADERS, UnderTest

URL = "https://app.contoso.example/api/dataverse/webhook"


def post(under_test: UnderTest, body: bytes, name: str = "dataverse_webhook", **headers: str) -> func.HttpResponse:
    """Call a function of the app as the host does."""
    app = func.FunctionApp()
    app.register_functions(under_test.blueprint(PublicAddress(None)))
    functions = {str(it.get_function_name()): it.get_user_function() for it in app.get_functions()}
    request = func.HttpRequest("POST", URL, headers={**HEADERS, **headers}, params={}, body=body)
    answer = asyncio.run(functions[name](request))
    assert isinstance(answer, func.HttpResponse)
    return answer


def body_of(answer: func.HttpResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.get_body())
    return found


def test_a_202_says_where_and_when_to_ask() -> None:
    """Logic Apps and Power Automate follow it by themselves, so it has to be absolute."""
    answer = post(UnderTest(), json.dumps(context()).encode())

    body = body_of(answer)
    assert (answer.status_code, body["status"]) == (202, "accepted")
    assert body.keys() == {"eventId", "correlationId", "status"}
    assert answer.headers["Location"] == f"https://app.contoso.example/api/events/{body['eventId']}/outcome"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.mimetype == "application/json"
    assert answer.headers["x-correlation-id"] == body["correlationId"]


def test_what_was_left_out_is_named() -> None:
    odd = {**entity(), "Attributes": 5}
    answer = post(UnderTest(), json.dumps(context(odd)).encode())

    assert body_of(answer)["unread"] == ["Target"]


def test_an_own_write_has_no_status_to_ask_for() -> None:
    own = context(entity("opportunity", new_creditscore=1), SharedVariables=[pair("tag", "dataverse-integration")])
    answer = post(UnderTest(), json.dumps({**own, "PrimaryEntityName": "opportunity"}).encode())

    assert body_of(answer)["status"] == "own-write"
    assert "Location" not in answer.headers


def test_a_message_about_several_rows_is_answered_for_each() -> None:
    """Our own write among them has no status to ask for, and is not queued."""
    under_test = UnderTest()
    rows = [entity(name="A"), entity(row=OTHER_ROW, new_erpnumber="1")]
    body = context(
        MessageName="UpdateMultiple",
        InputParameters=[pair("Targets", {"Entities": rows})],
        SharedVariables=[pair("tag", "dataverse-integration")],
    )
    answer = post(under_test, json.dumps(body).encode())

    first, second = body_of(answer)["events"]
    (queued,) = under_test.queue.events
    assert answer.status_code == 202
    assert first == {
        "eventId": queued.event_id,
        "status": "accepted",
        "location": f"https://app.contoso.example/api/events/{queued.event_id}/outcome",
    }
    assert (second.keys(), second["status"]) == ({"eventId", "status"}, "own-write")


def test_a_message_whose_rows_are_all_our_own_writes_is_accepted() -> None:
    under_test = UnderTest()
    body = context(
        MessageName="UpdateMultiple",
        InputParameters=[
            pair("Targets", {"Entities": [entity(row=row, new_erpnumber="1") for row in (ROW, OTHER_ROW)]})
        ],
        SharedVariables=[pair("tag", "dataverse-integration")],
    )
    answer = post(under_test, json.dumps(body).encode())
    assert [it["status"] for it in body_of(answer)["events"]] == ["own-write", "own-write"]
    assert under_test.queue.envelopes == []


def test_of_several_rows_all_are_queued_or_503_is_answered() -> None:
    """Dataverse then sends the whole message once more, and each row has its id again."""
    under_test = UnderTest()
    under_test.queue.fails = Transient("it is away")
    body = payload("constructed/async_createmultiple_account")
    assert post(under_test, body).status_code == 503
    under_test.queue.fails = None
    again = body_of(post(under_test, body))["events"]
    assert [it["eventId"] for it in again] == [event.event_id for event in under_test.queue.events]


def test_a_body_in_chunks_is_told_apart_from_no_body() -> None:
    """The Functions host hands over none of it (azure-functions-host), so nothing else would say what to change."""
    answer = post(UnderTest(), b"", **{"Transfer-Encoding": "chunked"})
    assert (answer.status_code, body_of(answer)["title"]) == (411, "The length is missing")
    assert "Content-Length" in body_of(answer)["detail"]
    assert post(UnderTest(), b"").status_code == 400


@pytest.mark.parametrize("fails", [Transient("it is away"), TimeoutError(), RuntimeError("secret"), KeyError("x")])
def test_whatever_fails_is_503(caplog: pytest.LogCaptureFixture, fails: Exception) -> None:
    """Dataverse sends once more after 503, and never after 500; a defect leaves its trace in the log."""
    under_test = UnderTest()
    under_test.queue.fails = fails
    answer = post(under_test, json.dumps(context()).encode())

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.mimetype == "application/problem+json"
    assert b"secret" not in answer.get_body()
    assert "secret" not in caplog.text
    assert ("not-queued" in caplog.text) or ("intake-failed" in caplog.text)


def test_a_refusal_is_a_problem() -> None:
    answer = post(UnderTest(), b"{", "plugin_event")

    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
