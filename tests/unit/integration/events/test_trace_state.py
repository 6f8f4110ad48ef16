"""What others have put into tracestate goes on, within the limits of W3C Trace Context, and never fails anything."""

from datetime import UTC, datetime

import pytest

from integration.events.trace_state import detail_until, marked, tracestate

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

UNTIL = datetime(2026, 11, 27, 12, tzinfo=UTC)


def kept(raw: str, parent: str = PARENT) -> str | None:
    return tracestate({"traceparent": parent, "tracestate": raw})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("tenant@system=a b~, 0level/2*=-", "tenant@system=a b~,0level/2*=-"),
        (" a=1 \t, ,b=2,", "a=1,b=2"),
        ("a=1,b=2,a=3", "a=1,b=2"),
        (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
    ],
    ids=["as it came", "all characters", "empty members", "the same key twice", "32 members"],
)
def test_what_is_valid_is_passed_on(raw: str, expected: str) -> None:
    assert kept(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ",",
        "a",
        "a=",
        "A=1",
        "a=1=2",
        "a=1\r\nX-Evil: 1",
        "a=ü",
        f"{'k' * 257}=1",
        f"a={'v' * 257}",
        ",".join(f"k{n}=1" for n in range(33)),
        "a=1," * 10_000,
    ],
)
def test_what_is_not_valid_is_dropped_as_a_whole(raw: str) -> None:
    assert kept(f"good=1,{raw}" if raw and raw != "," else raw) is None


def test_without_a_valid_traceparent_there_is_none() -> None:
    assert kept("a=1", parent="00-zero") is None
    assert tracestate({"tracestate": "a=1"}) is None


def test_what_is_too_long_loses_large_members_first_and_then_those_at_the_end() -> None:
    large, small = f"large={'v' * 200}", [f"k{n}={'v' * 60}" for n in range(10)]
    assert kept(",".join([large, *small])) == ",".join(small[:8])
    assert kept(",".join([small[0], large, small[1]])) == ",".join([small[0], large, small[1]])


def test_the_apps_own_member_stands_in_front_and_is_taken_from_nobody() -> None:
    state = marked("rojo=1,integration=5", UNTIL)
    assert (state, detail_until(state)) == (f"integration={int(UNTIL.timestamp())},rojo=1", UNTIL)
    assert kept(str(state)) == "rojo=1"
    assert kept("integration=1") is None
    assert str(marked(",".join(f"k{n}=1" for n in range(32)), UNTIL)).count(",") == 31


def test_it_is_taken_away_where_there_is_no_debug_detail_any_more() -> None:
    assert marked(marked("rojo=1", UNTIL), None) == "rojo=1"
    assert marked(marked(None, UNTIL), None) is marked(None, None) is None
    assert marked("rojo=1", None) == "rojo=1"


@pytest.mark.parametrize("state", [None, "", "rojo=1", "integration=soon", f"integration={'9' * 200}", "integration=²"])
def test_what_is_no_time_marks_nothing(state: str | None) -> None:
    assert detail_until(state) is None
