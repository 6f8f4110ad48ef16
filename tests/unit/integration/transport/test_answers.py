"""What comes back is validated, and nothing of its content is told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from integration.errors import NotFound, Outage
from integration.transport import Request, Response, validated
from integration.transport.rest import problem_of, rest_failure


class Thing(BaseModel):
    number: int


def answered(body: bytes, media_type: str = "application/json") -> Response:
    return Response(Request("erp", "look", "GET", "https://erp.example/"), 200, {"content-type": media_type}, body)


def test_what_fits_the_contract_is_taken() -> None:
    assert validated(Thing, answered(b'{"number": 3, "more": true}', "application/json; charset=utf-8")).number == 3


@pytest.mark.parametrize("body", [b'{"number": "secret name"}', b"[]", b"null", b"{}"])
def test_what_breaks_the_contract_is_an_outage_and_names_the_field_only(body: bytes) -> None:
    """A gateway's own JSON, or a version of the system that we do not know: no event is to blame."""
    with pytest.raises(Outage) as raised:
        validated(Thing, answered(body))
    assert raised.value.reason == "erp-answer-invalid"
    assert "secret name" not in str(raised.value)


@pytest.mark.parametrize("answer", [answered(b"<html>", "text/html"), answered(b"{"), answered(b"\xff")])
def test_what_is_no_json_came_from_somebody_else(answer: Response) -> None:
    """A gateway's page with status 200 is no answer of the system that was asked."""
    with pytest.raises(Outage) as raised:
        validated(Thing, answer)
    assert raised.value.reason == "erp-answer-unreadable"


def refused(body: bytes, status: int, media_type: str = "application/problem+json") -> Response:
    request = Request("erp", "get order", "GET", "https://erp.example/api/orders/a%20b?x=1")
    return Response(request, status, {"content-type": media_type}, body)


def problem(kind: str) -> bytes:
    return json.dumps({"type": kind, "title": "No", "status": 404, "detail": "a\n  b"}).encode()


def test_a_problem_is_read_as_one_short_line() -> None:
    read = problem_of(refused(problem("https://e/p/stale-version"), 409))
    assert read is not None
    assert (read.kind, read.detail) == ("stale-version", "a b")


def test_the_systems_own_not_found_says_what_is_not_there() -> None:
    error = rest_failure(refused(problem("https://erp.example/problems/not-found"), 404))
    assert isinstance(error, NotFound)
    assert (error.reason, error.service, error.table, error.record_id) == ("erp-not-found", "erp", "orders", "a b")


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 412, 422, 500])
@pytest.mark.parametrize(
    "answer",
    [
        (b"<html>The resource is temporarily unavailable.</html>", "text/html"),
        (b'{"statusCode":404,"message":"Resource not found"}', "application/json"),
        (b'{"error":{"code":"ResourceNotFound","message":"..."}}', "application/json"),
        (b"", ""),
        (b"<html>", "application/problem+json"),
        (b"[]", "application/problem+json"),
        (b'{"title":"Not Found","status":404}', "application/problem+json"),
        (b'{"type":3,"detail":{"x":1}}', "application/problem+json"),
        (problem("http://[::1"), "application/problem+json"),
        (problem("about:blank"), "application/problem+json"),
        (problem("https://tools.ietf.org/html/rfc9110#section-15.5.5"), "application/problem+json"),
        (problem("https://www.rfc-editor.org/rfc/rfc9110"), "application/problem+json"),
        (problem("https://httpproblems.com/http-status/404"), "application/problem+json"),
        (problem("https://erp.example/problems/not-found"), "application/json"),
    ],
    ids=lambda answer: f"{answer[1]} {answer[0].decode()[:40]}",
)
def test_what_is_not_in_the_systems_own_words_is_an_outage(status: int, answer: tuple[bytes, str]) -> None:
    """A page, a gateway's JSON, a web framework's word for an unknown address: nobody asked the system."""
    assert type(rest_failure(refused(answer[0], status, answer[1]))) is Outage


def test_a_not_found_of_another_kind_is_a_refusal() -> None:
    assert rest_failure(refused(problem("https://e/p/unknown-customer"), 404)).reason == "erp-rejected"


@given(st.binary(max_size=200), st.integers(300, 599), st.sampled_from(["application/problem+json", "text/html", ""]))
def test_whatever_stands_where_a_problem_should_is_survived(body: bytes, status: int, media_type: str) -> None:
    error = rest_failure(refused(body, status, media_type))
    assert isinstance(error, Outage)
    assert len(str(error)) < 500
