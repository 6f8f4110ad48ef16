"""How deep, and of how many parts, a body may be."""

import json
import time
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events.body import parse_json
from integration.events.data_contract_xml import parse_xml
from integration.events.limits import MAX_DEPTH, MAX_NODES, MAX_XML_DEPTH
from tests.unit.integration.events.support import context


def nested(depth: int) -> Any:
    """Lists in lists."""
    found: Any = "x"
    for _ in range(depth):
        found = [found]
    return found


def xml(depth: int = 1, beside: int = 0) -> bytes:
    """A context of so many levels, with so many elements beside each other."""
    inner = "<a>" * (depth - 1) + "<b/>" * beside + "</a>" * (depth - 1)
    return f"<RemoteExecutionContext>{inner}</RemoteExecutionContext>".encode()


def refusal(body: bytes, read: Any = parse_json) -> str:
    with pytest.raises(Rejected) as refused:
        read(body)
    assert (refused.value.status, refused.value.reason) == (400, "too-complex")
    return refused.value.detail


def test_a_body_may_have_so_many_levels_and_no_more() -> None:
    """In objects as in lists; how many brackets there are beside each other does not matter."""
    assert parse_json(json.dumps([nested(MAX_DEPTH - 1), *[[] for _ in range(600)]]).encode())
    assert "500 levels" in refusal(json.dumps(nested(MAX_DEPTH + 1)).encode())
    assert "500 levels" in refusal(b'{"a":' * 501 + b"1" + b"}" * 501)
    assert "500 levels" in refusal(b"[" * 200_000)


def test_brackets_in_text_are_no_levels() -> None:
    """Neither opening ones nor closing ones, with which somebody could hide levels."""
    text = {"a": "[{" * 5_000, "b": '\\" [' * 500}
    assert parse_json(json.dumps([text, nested(10)]).encode()) == [text, nested(10)]
    hidden = b'["]]]]",' * 600 + b"1" + b"]" * 600
    assert "levels" in refusal(hidden)
    assert "levels" in refusal(b'["\\"]",' * 600 + b"1" + b"]" * 600)


def test_json_that_is_text_in_json_is_held_to_the_same() -> None:
    """A plug-in that serialises twice."""
    assert "levels" in refusal(json.dumps(json.dumps(nested(MAX_DEPTH + 1))).encode())


def test_a_body_may_have_so_many_values_and_no_more() -> None:
    commas = {"memo": "," * 2 * MAX_NODES}
    assert parse_json(json.dumps(commas).encode()) == commas
    assert len(parse_json(b"[" + b"1," * (MAX_NODES - 2) + b"1]")) == MAX_NODES - 1
    assert "100000 are allowed" in refusal(b"[" + b"1," * MAX_NODES + b"1]")
    assert "100000 are allowed" in refusal(b"[" + b"[]," * MAX_NODES + b"[]]")


def test_xml_is_held_to_the_same() -> None:
    assert parse_xml(xml(MAX_XML_DEPTH))
    assert "levels" in refusal(xml(MAX_XML_DEPTH + 1), parse_xml)
    assert "100000 are allowed" in refusal(xml(beside=MAX_NODES), parse_xml)


@pytest.mark.parametrize("body", [b'"' * 500_000, b"\\" * 500_000, b'"\\' * 250_000, b'["' * 250_000, b"[{" * 250_000])
def test_whatever_half_a_megabyte_holds_is_looked_through_in_no_time(body: bytes) -> None:
    """It takes milliseconds; a pattern that backtracks would take minutes."""
    started = time.monotonic()
    with pytest.raises(Rejected):
        parse_json(body)
    assert time.monotonic() - started < 2


def test_an_ordinary_context_is_read_as_before() -> None:
    assert parse_json(json.dumps(context()).encode()) == context()
