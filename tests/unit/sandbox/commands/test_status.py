"""How `status` shows an event."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.commands.status import ADVICE, print_status
from sandbox.terminal.screen import Screen

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"
ROW = "a0000000-0000-4000-8000-000000000002"
AT = "2026-11-26T13:57:06.586Z"


def shown(**changes: Any) -> str:
    status = {
        "eventId": EVENT,
        "correlationId": "c",
        "table": "account",
        "recordId": ROW,
        "message": "Update",
        "state": "completed",
        "acceptedAt": AT,
        "attempts": 1,
        "nextAttempt": None,
        "steps": [{"name": "erp-customer", "state": "done", "at": AT, "detail": "customer C-000001"}],
        "reason": None,
        "detail": None,
        "history": [],
    }
    out = io.StringIO()
    print_status(Screen(out, width=80), status | changes, "Contoso Ltd")
    assert max(map(len, out.getvalue().splitlines())) <= 80
    return " ".join(out.getvalue().split())


def test_an_event_is_shown_with_its_row_and_each_step() -> None:
    text = shown()
    assert f"Event {EVENT} about Update of account Contoso Ltd record {ROW}" in text
    assert "erp-customer done" in text
    assert "customer C-000001" in text
    assert "reason" not in text


def test_a_dead_letter_says_why_what_to_do_and_each_attempt() -> None:
    failure = {"attempt": 1, "at": AT, "reason": "erp-rejected", "detail": f"the ERP refuses {ROW}"}
    text = shown(state="dead-lettered", reason="erp-rejected", detail="the ERP refuses it", history=[failure])
    assert "reason erp-rejected detail the ERP refuses it" in text
    assert ADVICE["dead-lettered"] in text
    assert "Failed attempts" in text
    assert "the ERP refuses a0000000...0002" in text


@pytest.mark.parametrize(("seconds", "left"), [(65, "in 1 min"), (-5, "in 0 ms")])
def test_a_waiting_event_says_when_it_is_tried_again(seconds: int, left: str) -> None:
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    text = shown(state="waiting", reason="erp-unavailable", nextAttempt=due.isoformat())
    assert left in text
    assert ADVICE["waiting"] in text
