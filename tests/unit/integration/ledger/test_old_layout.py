"""The status of an event as release 0.1 has stored it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.ledger import EventStatus, State, Step
from integration.ledger.legacy import _to_status

AT = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)
ID = "202611201905-0a"


def head(**columns: Any) -> dict[str, Any]:
    return {"RowKey": "0a", "acceptedTime": AT.isoformat(), **columns}


def test_all_that_it_says_is_read() -> None:
    """Times have up to seven digits of a second."""
    later = AT + timedelta(seconds=5)
    failure = {"attempt": 1, "at": AT.isoformat(), "reason": "erp-timeout", "detail": "no answer"}
    row = head(
        state="waiting",
        attempts=2,
        table="opportunity",
        recordId="r-1",
        message="Update",
        organisation="org",
        correlationId="c-1",
        changedTime="2026-11-20T19:05:07.0000000+00:00",
        nextAttempt=later.isoformat(),
        reason="erp-timeout",
        detail="no answer",
        history=json.dumps([failure]),
    )
    effect: dict[str, Any] = {"RowKey": "0a.erp-order", "state": "done", "at": later.isoformat(), "detail": "N-1"}
    earlier: dict[str, Any] = {"RowKey": "0a.credit-score", "state": "started", "at": AT.isoformat()}

    assert _to_status(ID, [effect, row, earlier]) == EventStatus(
        event_id=ID,
        correlation_id="c-1",
        organisation="org",
        table="opportunity",
        record_id="r-1",
        message="Update",
        state=State.WAITING,
        accepted_time=AT,
        attempts=2,
        changed_time=later,
        next_attempt=later,
        reason="erp-timeout",
        detail="no answer",
        history=(failure,),
        steps=(Step("credit-score", "started", AT), Step("erp-order", "done", later, "N-1")),
    )


def test_an_event_that_has_ended_has_no_next_attempt_and_was_published() -> None:
    status = _to_status(ID, [head(state="completed", nextAttempt=AT.isoformat(), publishedTime=AT.isoformat())])

    assert status is not None
    assert (status.state, status.next_attempt, status.published_time) == (State.COMPLETED, None, AT)
    assert status.steps == (Step("publish", "done", AT),)


@pytest.mark.parametrize(
    ("effects", "state", "attempts"),
    [([], State.ACCEPTED, 0), ([{"RowKey": "0a.erp-order", "state": "started"}], State.PROCESSING, 1)],
)
def test_an_event_with_an_effect_is_under_way(effects: list[dict[str, Any]], state: State, attempts: int) -> None:
    """Whose worker has not written an end."""
    status = _to_status(ID, [head(), *effects])

    assert status is not None
    assert (status.state, status.attempts, status.reason, status.detail) == (state, attempts, None, None)


def test_what_has_no_row_of_its_own_is_no_event() -> None:
    assert _to_status(ID, [{"RowKey": "0a.erp-order", "state": "done"}]) is None
