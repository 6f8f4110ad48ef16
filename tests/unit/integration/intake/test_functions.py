"""What callers of the intake get over HTTP."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.errors import Transient
from integration.public_address import PublicAddress
from tests.unit.integration.events.support import context, entity, pair
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
    assert answer.headers["Location"] == f"https://app.contoso.example/api/operations/{body['eventId']}"
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
