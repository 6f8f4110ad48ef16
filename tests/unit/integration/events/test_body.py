"""Hostile and broken bodies are refused with 400 and never anything else."""

import json

import pytest

from integration.errors import Rejected
from integration.events.body import MAX_DEPTH, MAX_NODES, parse_body
from tests.unit.integration.events.support import read

DEEP = MAX_DEPTH - 1  # the object around it is a level too


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "not JSON"),
        (b"   ", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"5", "must be a JSON object"),
        (b'"text"', "not JSON"),
        (json.dumps(json.dumps(json.dumps({}))).encode(), "must be a JSON object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":1,"a":2}', "same key twice"),
        (b'{"a":' + b"9" * 5000 + b"}", "out of range"),
        (b'{"a":1e' + b"9" * 30 + b"}", "out of range"),
        (b'{"a":' + b"[" * 100_000, "deeper"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeper"),
        (b'{"a":' + b"[" * (DEEP + 1) + b"]" * (DEEP + 1) + b"}", "deeper"),
        (b'{"a":[' + b"0," * MAX_NODES + b"0]}", "nodes"),
    ],
)
def test_a_body_is_refused(body: bytes, told: str) -> None:
    """The detail says what is wrong."""
    with pytest.raises(Rejected) as refused:
        read(body)

    assert refused.value.status == 400
    assert told in refused.value.detail
    assert [fault.pointer for fault in refused.value.faults] == [""]


def test_the_deepest_body_that_is_taken() -> None:
    body = b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}"

    assert parse_body(body) == json.loads(body)
