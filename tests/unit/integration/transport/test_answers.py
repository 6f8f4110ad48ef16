"""Answers are validated, and an error shows nothing of their content."""

import pytest
from pydantic import BaseModel

from integration.errors import Outage
from integration.transport import Request, Response, validated


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
