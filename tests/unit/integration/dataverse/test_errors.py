"""What Dataverse's error answers become."""

import json

import pytest

from integration.dataverse.errors import dataverse_failure, normal_code
from integration.errors import Conflict, IntegrationError, NotFound, Outage, Permanent, Throttled, Transient
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
        (answered(412, "0x80040216"), Conflict, "conflict"),
        (answered(412), Outage, "dataverse-answer-unreadable"),
        (answered(404, "0x80040217"), NotFound, "dataverse-not-found"),
        (answered(404, "0x80060891"), NotFound, "dataverse-not-found"),
        (answered(404, "-2147220969"), NotFound, "dataverse-not-found"),
        (answered(404, "0x8006088a"), Permanent, "dataverse-rejected"),
        (answered(404, "0x80040216"), Outage, "dataverse-answer-unreadable"),
        (answered(404, "404"), Outage, "dataverse-answer-unreadable"),
        (answered(404, "ResourceNotFound"), Outage, "dataverse-answer-unreadable"),
        (answered(404), Outage, "dataverse-answer-unreadable"),
        (answered(405, "0x80060888"), Permanent, "dataverse-rejected"),
        (answered(302, "0x80040216"), Outage, "dataverse-redirected"),
        (answered(429, "0x80072322", retry_after=12), Throttled, "dataverse-throttled"),
        (answered(429, "-2147015903", retry_after=12), Throttled, "dataverse-throttled"),
        (answered(429), Throttled, "dataverse-throttled"),
        (answered(503, "0x80072326"), Throttled, "dataverse-throttled"),
        (answered(403, "0x80040220"), Outage, "dataverse-forbidden"),
        (answered(403, "0x80042f09"), Outage, "dataverse-forbidden"),
        (answered(403), Outage, "dataverse-answer-unreadable"),
        (answered(401), Outage, "dataverse-unauthorised"),
        (answered(400, "0x80044331"), Permanent, "dataverse-rejected"),
        (answered(400, "0x0"), Permanent, "dataverse-rejected"),
        (answered(400), Outage, "dataverse-answer-unreadable"),
        (answered(400, "0x80040265"), Permanent, "dataverse-plugin-refused"),
        (answered(500, "0x80044150"), Transient, "dataverse-failed"),
        (answered(500), Outage, "dataverse-unavailable"),
        (answered(503, "0x80040216"), Outage, "dataverse-unavailable"),
    ],
)
def test_the_code_decides_where_it_says_more_than_the_status(
    answer: Response, kind: type[IntegrationError], reason: str
) -> None:
    error = dataverse_failure(answer, etag='W/"1"')
    assert (type(error), error.reason, error.service) == (kind, reason, "dataverse")


def test_a_412_to_a_request_without_an_etag_is_no_conflict_of_ours() -> None:
    error = dataverse_failure(answered(412, "0x80040216"))
    assert (type(error), error.reason) == (Transient, "dataverse-conflict")


ROW = ("accounts", "11111111-2222-3333-4444-555555555555")


@pytest.mark.parametrize(
    "said",
    ["Entity 'account' With Id = 11111111-2222-3333-4444-555555555555 Does Not Exist", "It does not exist", ""],
)
def test_not_found_says_which_row(said: str) -> None:
    """So that the customer of an order, deleted meanwhile, is not taken for the order's own row."""
    error = dataverse_failure(answered(404, "0x80040217", said), row=ROW)
    assert isinstance(error, NotFound)
    assert (error.table, error.record_id) == ROW


def test_a_row_that_a_plugin_missed_is_not_the_row_that_was_written() -> None:
    """The code is the same; taken for ours, the event would end as superseded."""
    said = "Entity 'new_thing' With Id = 99999999-2222-3333-4444-555555555555 Does Not Exist"
    error = dataverse_failure(answered(404, "0x80040217", said), row=ROW)
    assert (type(error), error.reason) == (Permanent, "dataverse-rejected")


def test_the_wait_that_was_asked_for_is_kept() -> None:
    error = dataverse_failure(answered(429, "0x80072321", retry_after=33))
    assert isinstance(error, Throttled)
    assert error.retry_after == 33


def test_nothing_of_dataverses_text_is_passed_on_but_our_own_column_names() -> None:
    """Its messages quote values; the columns that we named are what support needs."""
    said = "The length of the 'new_syncmessage' attribute exceeded '500': Jane Doe, jane@example.com, +43 1 234"
    message = str(dataverse_failure(answered(400, "0x80044331", said), named={"new_syncmessage": 1, "name": 2}))
    assert message.endswith("0x80044331 StringLengthTooLong (columns: new_syncmessage)")


@pytest.mark.parametrize(
    ("code", "name"),
    [("0x80060883", "ConcurrencyVersionNotProvided"), ("0x80060891", "RecordNotFoundByEntityKey"), ("0x80099999", "")],
)
def test_a_known_code_is_named_for_people(code: str, name: str) -> None:
    """A number alone has to be looked up."""
    assert f"{code} {name}".strip() in str(dataverse_failure(answered(400, code)))


@pytest.mark.parametrize("code", ["0x80072322", "0X80072322", "-2147015902", "2147951394"])
def test_every_form_of_a_code_is_the_same_code(code: str) -> None:
    assert normal_code(code) == "0x80072322"


@pytest.mark.parametrize(
    "body", [b"<html>Bad gateway</html>", b"", b"[]", b'{"error":"text"}', b'{"error":{"code":"Jane","message":null}}']
)
@pytest.mark.parametrize("status", [302, 400, 403, 404, 405, 410, 412, 422, 500, 501, 502])
def test_what_is_not_in_dataverses_words_is_an_outage(status: int, body: bytes) -> None:
    request = Request("dataverse", "update accounts", "PATCH", "https://org.crm.dynamics.com/")
    answer = Response(request, status, {"content-type": "application/json"}, body)
    error = dataverse_failure(answer, row=ROW, etag='W/"1"')
    assert type(error) is Outage
    assert "Jane" not in str(error)
