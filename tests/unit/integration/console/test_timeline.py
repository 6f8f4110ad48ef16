"""What happened to an event, in the order of time."""

from datetime import timedelta

from integration.console import timeline
from integration.ledger import State
from tests.memory_table import ManualClock
from tests.unit.integration.operations.parts import event_status

BEGAN = ManualClock().now()


def attempt(number: int, reason: str = "credit-timeout") -> dict[str, object]:
    at = BEGAN + timedelta(hours=number)
    return {"attempt": number, "at": at.isoformat(), "reason": reason, "detail": "no answer within 20 s"}


def moments(*history: dict[str, object]) -> list[timeline.Moment]:
    status = event_status(State.DEAD_LETTERED, "e-1", BEGAN, history=list(history))
    return timeline.of(status, [])


def test_many_attempts_that_failed_alike_are_folded_between_the_first_and_the_last() -> None:
    """What is folded is still there, with its times."""
    found = moments(*(attempt(number) for number in range(1, 21)), attempt(21, "retries-exhausted"))
    assert [it.what for it in found] == [
        "Accepted",
        "Attempt 1: credit timeout",
        "18 more attempts, alike",
        "Attempt 20: credit timeout",
        "Attempt 21: retries exhausted",
    ]
    assert [it.what for it in found[2].alike][:1] == ["Attempt 2: credit timeout"]
    assert len(found[2].alike) == 18


def test_few_attempts_and_different_ones_are_all_shown() -> None:
    assert len(moments(*(attempt(number) for number in range(1, 5)))) == 5
    mixed = [attempt(number, "credit-timeout" if number % 2 else "erp-timeout") for number in range(1, 21)]
    assert len(moments(*mixed)) == 21
