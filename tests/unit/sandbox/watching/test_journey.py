"""Following an event: what is shown does not depend on when it is looked at."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

from sandbox.client import Client
from sandbox.terminal.screen import Screen
from sandbox.watching.journey import Journeys

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"
AT = "2026-11-26T13:57:06.586+00:00"


def status(state: str, *steps: str) -> dict[str, Any]:
    return {
        "eventId": EVENT,
        "table": "account",
        "recordId": "a0000000-0000-4000-8000-000000000002",
        "state": state,
        "acceptedAt": AT,
        "attempts": 1,
        "reason": "erp-rejected" if state in {"dead-lettered", "waiting"} else None,
        "detail": "why" if state in {"dead-lettered", "waiting"} else None,
        "steps": [{"name": name, "state": "done", "at": AT, "detail": ""} for name in steps],
    }


class Ledger:
    """Gives one status after the other, as somebody sees them who asks at these moments."""

    def __init__(self, *statuses: dict[str, Any] | None) -> None:
        self._statuses: Iterator[dict[str, Any] | None] = iter(statuses)
        self.app = self

    def operation(self, _event_id: str) -> dict[str, Any] | None:
        return next(self._statuses)


def stages(*statuses: dict[str, Any] | None) -> list[str]:
    """The stages that are shown, each with its text."""
    out = io.StringIO()
    journeys = Journeys(cast("Client", Ledger(*statuses)), Screen(out, width=80), archived=False)
    assert journeys.of_event(EVENT, datetime(2026, 11, 26, 13, 57, 6, tzinfo=UTC)) == statuses[-1]
    return [" ".join(line.split()[2:]) for line in out.getvalue().splitlines()]


def test_a_dead_letter_is_shown_with_all_its_steps_though_its_state_is_known_before_them() -> None:
    """The state is written first, then the row is marked, then analytics is informed: whoever asks sees any of it."""
    quick = stages(status("dead-lettered", "mark-failed", "publish"))
    slow = stages(
        None,
        status("accepted"),
        status("dead-lettered"),
        status("dead-lettered", "mark-failed"),
        status("dead-lettered", "mark-failed", "publish"),
    )
    assert slow == quick
    assert [line.split()[0] for line in slow] == ["intake", "worker", "hub", "result"]
    assert "worker mark-failed" in slow


def test_each_attempt_that_waits_is_shown_once() -> None:
    waiting = status("waiting")
    shown = stages(waiting, waiting, waiting | {"attempts": 2}, status("completed", "publish"))
    assert [line.split()[0] for line in shown] == ["intake", "waiting", "waiting", "hub", "result"]
