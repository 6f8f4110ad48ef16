"""What Dataverse's error answers become."""

import json

import pytest

from integration.dataverse.errors import dataverse_failure, normal_code
from integration.errors import Conflict, IntegrationError, NotFound, Permanent, Throttled, Transient
from integration.transport import Request, Response


def answered(status: int, code: str = "", message: str = "", retry_after: float | None = None) -> Response:
    request = Request("dataverse", "update accounts", "PATCH", "https://org.crm.dynamics.com/")
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Response(request, status, {"content-type": "application/json; odata.metadata=minimal"}, body, retry_after)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (answered(412, "0x80060882"), Conflict, "conflict"),
        (answered(412, "0x80040333"), Permanent, "dataverse-duplicate"),
        (answered(412, "0x80060892"), Permanent, "dataverse-duplicate"),
        (answered(412), Conflict, "conflict"),
        (answered(404, "0x80040217"), NotFound, "dataverse-not-found"),
        (answered(404, "0x80060891"), NotFound, "dataverse-not-found"),
        (answered(404, "0x8006088a"), Permanent, "dataverse-rejected"),
        (answered(404), Permanent, "dataverse-rejected"),
        (answered(429, "0x80072322", retry_after=12), Throttled, "dataverse-throttled"),
        (answered(429, "-2147015903", retry_after=12), Throttled, "dataverse-throttled"),
        (answered(503, "0x80072326"), Throttled, "dataverse-throttled"),
        (answered(403, "0x80040220"), Transient, "dataverse-forbidden"),
        (answered(403), Transient, "dataverse-forbidden"),
        (answered(401), Transient, "dataverse-unauthorised"),
        (answered(400, "0x80044331"), Permanent, "dataverse-rejected"),
        (answered(400, "0x80040265"), Permanent, "dataverse-plugin-refused"),
        (answered(500, "0x80044150"), Transient, "dataverse-unavailable"),
    ],
)
def test_the_code_decides_where_it_says_more_than_the_status(
    answer: Response, kind: type[IntegrationError], reason: str
) -> None:
    error = dataverse_failure(answer)
    assert type(error) is kind
    assert error.reason == reason


def test_the_wait_that_was_asked_for_is_kept() -> None:
    error = dataverse_failure(answered(429, "0x80072321", retry_after=33))
    assert isinstance(error, Throttled)
    assert error.retry_after == 33


def test_nothing_of_dataverses_text_is_passed_on_but_our_own_column_names() -> None:
    """Its messages quote values; the columns that we named are what support needs."""
    said = "The length of the 'new_syncmessage' attribute exceeded '500': Jane Doe, jane@example.com, +43 1 234"
    message = str(dataverse_failure(answered(400, "0x80044331", said), named={"new_syncmessage": 1, "name": 2}))
    assert message.endswith("0x80044331 StringLengthTooLong (columns: new_syncmessage)")


@pytest.mark.parametrize("code", ["0x80072322", "0X80072322", "-2147015902", "2147951394"])
def test_every_form_of_a_code_is_the_same_code(code: str) -> None:
    assert normal_code(code) == "0x80072322"


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"", b"[]", b'{"error":"text"}', b'{"error":{"code":"Jane","message":null}}']
)
def test_a_gateways_page_is_judged_by_its_status(body: bytes) -> None:
    request = Request("dataverse", "update accounts", "PATCH", "https://org.crm.dynamics.com/")
    error = dataverse_failure(Response(request, 502, {"content-type": "application/json"}, body))
    assert isinstance(error, Transient)
    assert "Jane" not in str(error)
