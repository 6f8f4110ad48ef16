"""Hostile and broken bodies are refused with 400 and never anything else; odd values are left out."""

import json
from typing import Any

import pytest

from integration.errors import Rejected
from integration.events.body import parse_body
from integration.events.unread import UNREAD
from tests.unit.integration.events.support import context, entity, read


@pytest.mark.parametrize(
    ("body", "detail"),
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
        (b'{"a":' + b"[" * 100_000, "deeply"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeply"),
    ],
)
def test_a_body_is_refused(body: bytes, detail: str) -> None:
    """The detail says what is wrong."""
    with pytest.raises(Rejected) as refused:
        read(body)

    assert refused.value.status == 400
    assert detail in refused.value.detail
    assert [fault.pointer for fault in refused.value.faults] == [""]


@pytest.mark.parametrize(
    "odd", ["NaN", "Infinity", "-Infinity", "9" * 5_000, "-" + "9" * 5_000, "1e" + "9" * 30, "1.5e-" + "9" * 30]
)
def test_a_number_that_python_does_not_hold_is_left_out(odd: str) -> None:
    """.NET writes NaN for a double; numbers beside it keep their digits."""
    assert parse_body(b'{"a":[%s, 7, 1.50]}' % odd.encode())["a"][0] is UNREAD
    assert str(parse_body(b'{"a":[%s, 7, 1.50]}' % odd.encode())["a"][1:]) == "[7, Decimal('1.50')]"


def test_of_a_key_that_an_object_has_twice_the_last_one_counts() -> None:
    """As for the readers of .NET and JavaScript."""
    assert parse_body(b'{"a":1,"a":2}') == {"a": 2}


def nested(levels: int) -> Any:
    node: Any = 0
    for _ in range(levels):
        node = [node]
    return node


@pytest.mark.parametrize("levels", [100, 400])
def test_a_value_that_is_nested_deeply_is_left_out(levels: int) -> None:
    """Also where half a surrogate pair makes every text of the body be looked at."""
    for name in ("Contoso", "cut \ud83d"):
        event = read(context(entity(name=name, odd=nested(levels))))

        assert (event.changed_columns, event.unread) == (("name", "odd"), ("Target.odd",))


HALF = json.dumps(json.dumps(context(entity(name="cut HERE"))))


@pytest.mark.parametrize("half", ["\\\\ud83d", "\\\\\\u0075d83d", "\\ud83d"])
def test_half_a_surrogate_pair_is_mended_wherever_it_hides(half: str) -> None:
    """In the JSON string around the object its escape may itself be written with escapes, or stand there bare."""
    assert read(HALF.replace("HERE", half).encode()).values["name"] == "cut \ufffd"
