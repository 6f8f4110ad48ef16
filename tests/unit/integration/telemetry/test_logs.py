"""Log lines: readable by Kusto, free of what must not be in them; and trace context."""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Transient
from integration.events import IntegrationEvent
from integration.telemetry import TraceParent, child_of, detailed, detailed_event, get_logger, line
from tests.builders import event


def test_a_record_is_one_line_of_json(caplog: pytest.LogCaptureFixture) -> None:
    """What happened, fields in camel case, absent ones left out, the logger's own level."""
    with caplog.at_level(logging.INFO, "integration.test"):
        get_logger("integration.test").info("effect-done", stage="erp", duration_ms=1.23456, attempt=2)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "\n" not in record.getMessage()
    assert json.loads(record.getMessage()) == {"what": "effect-done", "stage": "erp", "durationMs": 1.235, "attempt": 2}


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats() | st.datetimes()))
def test_only_allowed_fields_are_written(fields: dict[str, Any]) -> None:
    """Unknown fields are named, their values are not written, and the line stays one line of JSON."""
    fields = {f"x_{name}": value for name, value in fields.items()}
    written = line("something", fields)
    assert "\n" not in written
    content = json.loads(written)
    assert content.pop("droppedFields", []) == sorted(fields)
    assert content == {"what": "something"}


def test_a_record_about_an_event_says_which(caplog: pytest.LogCaptureFixture) -> None:
    """Ids, table, record, message and attempt of the event; none of its values."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    it = IntegrationEvent(
        event_id="e1",
        table="account",
        message="Update",
        record_id="r1",
        organisation="o1",
        correlation_id="c1",
        operation_time=at,
        accepted_time=at,
        user_id=None,
        initiating_user_id=None,
        values={"name": "Jane Doe"},
        attempt=3,
    )
    get_logger("integration.test").error("dead-lettered", event=it, reason="erp-rejected", due=at)
    assert json.loads(caplog.records[0].getMessage()) == {
        "what": "dead-lettered",
        "eventId": "e1",
        "correlationId": "c1",
        "table": "account",
        "record": "r1",
        "message": "Update",
        "attempt": 3,
        "reason": "erp-rejected",
        "due": "2026-01-01T00:00:00+00:00",
    }


def test_of_an_exception_type_reason_and_place_are_written_but_not_its_message() -> None:
    """Messages of other people's exceptions quote data."""
    with pytest.raises(ValueError, match="Jane") as raised:
        int("Jane Doe, jane@example.com")
    written = line("dead-lettered", {}, raised.value)
    content = json.loads(written)
    assert "Jane" not in written
    assert (content["errorType"], content["reason"]) == ("ValueError", "unexpected")
    assert content["stack"][-1].startswith("test_logs.py:")


def test_our_own_errors_bring_their_reason() -> None:
    assert json.loads(line("retry", {}, Transient("away", reason="erp-timeout")))["reason"] == "erp-timeout"


def test_a_child_stays_in_its_trace() -> None:
    parent = TraceParent.new()
    child = child_of(str(parent))
    assert child.trace_id == parent.trace_id
    assert child.span_id != parent.span_id
    assert TraceParent.parse(str(child)) == child


async def test_details_are_written_of_the_event_that_is_worked_on_only_where_debug_detail_is_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At the level INFO; also from tasks that the code starts, and of nothing before and after it."""
    log, it = get_logger("integration.test"), event()

    async def look(name: str) -> None:
        log.debug("debug-row", columns=[name])

    with caplog.at_level(logging.INFO, "integration.test"):
        log.debug("debug-row", columns=["before"])
        with detailed(it):
            await look("one")
            await asyncio.create_task(look("two"))
            assert detailed_event() is not None
        log.debug("debug-row", columns=["after"])
        log.debug("debug-row", event=it, columns=["named"])
    found = [json.loads(record.getMessage()) for record in caplog.records]
    assert [it["columns"] for it in found] == [["one"], ["two"], ["named"]]
    assert {it["eventId"] for it in found} == {it.event_id}
    assert {record.levelno for record in caplog.records} == {logging.INFO}
    assert detailed_event() is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"00-{'0' * 32}-{'b' * 16}-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-{'b' * 16}-01",
        f"00-{'A' * 32}-{'b' * 16}-01",
        f"00-{'a' * 32}-{'b' * 16}-01-more",
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(header: str | None) -> None:
    """W3C Trace Context 3.2: zero ids, version ff, upper case, and (in version 00) more fields are invalid."""
    assert TraceParent.parse(header) is None
    assert TraceParent.parse(str(child_of(header))) is not None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert TraceParent.parse(f"01-{'a' * 32}-{'b' * 16}-03-more") == TraceParent("a" * 32, "b" * 16, sampled=True)
