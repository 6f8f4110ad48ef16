"""What counts as said by a system that keeps the REST contract, and what does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import NotFound, Outage
from integration.systems.rest import rest_failure
from integration.transport import Request, Response
from integration.transport.problem import problem_of


def refused(body: bytes, status: int, media_type: str = "application/problem+json") -> Response:
    request = Request("erp", "get order", "GET", "https://erp.example/api/orders/a%20b?x=1")
    return Response(request, status, {"content-type": media_type}, body)


def problem(kind: str) -> bytes:
    return json.dumps({"type": kind, "title": "No", "status": 404, "detail": "a\n  b"}).encode()


def test_the_last_word_of_its_type_says_what_a_problem_is() -> None:
    read = problem_of(refused(problem("https://e/p/stale-version"), 409))
    assert read is not None
    assert read.kind == "stale-version"


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
