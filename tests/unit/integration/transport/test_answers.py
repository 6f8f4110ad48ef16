"""What comes back is validated, and nothing of its content is told."""

import pytest
from pydantic import BaseModel

from integration.errors import Permanent, Transient
from integration.transport import Request, Response, validated
from integration.transport.rest import problem_of


class Thing(BaseModel):
    number: int


def answered(body: bytes, media_type: str = "application/json") -> Response:
    return Response(Request("erp", "look", "GET", "https://erp.example/"), 200, {"content-type": media_type}, body)


def test_what_fits_the_contract_is_taken() -> None:
    assert validated(Thing, answered(b'{"number": 3, "more": true}', "application/json; charset=utf-8")).number == 3


@pytest.mark.parametrize("body", [b'{"number": "secret name"}', b"[]", b"null", b"{}"])
def test_what_breaks_the_contract_is_permanent_and_names_the_field_only(body: bytes) -> None:
    with pytest.raises(Permanent) as raised:
        validated(Thing, answered(body))
    assert raised.value.reason == "erp-answer-invalid"
    assert "secret name" not in str(raised.value)


@pytest.mark.parametrize("answer", [answered(b"<html>", "text/html"), answered(b"{"), answered(b"\xff")])
def test_what_is_no_json_came_from_somebody_else(answer: Response) -> None:
    """A gateway's page with status 200 is no answer of the system that was asked."""
    with pytest.raises(Transient) as raised:
        validated(Thing, answer)
    assert raised.value.reason == "erp-answer-unreadable"


def test_a_problem_is_read_as_one_short_line() -> None:
    problem = problem_of(
        answered(b'{"type":"https://e/p/stale-version","detail":"a\\n  b"}', "application/problem+json")
    )
    assert (problem.kind, problem.detail) == ("stale-version", "a b")


@pytest.mark.parametrize("body", [b"[]", b"nonsense", b'{"type":3,"detail":{"x":1}}', b'"text"'])
def test_whatever_stands_where_a_problem_should_is_survived(body: bytes) -> None:
    assert len(problem_of(answered(body)).detail) <= 300
