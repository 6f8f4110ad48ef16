"""What becomes of an event: the whole decision table."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Fenced, Outage, Paused, Permanent, Postponed, Throttled, Transient, Unreadable
from integration.ledger import DeadLetter, Memory, State
from integration.ledger.memory import RETURNS
from integration.transport import RetryPolicy
from integration.worker.decision import (
    Decision,
    Done,
    Duplicate,
    Failed,
    PassOn,
    Report,
    RetryAt,
    Settle,
    ToDeadLetter,
    Withdraw,
    decide,
    on_arrival,
)
from tests.builders import event

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
POLICY = RetryPolicy(first_delay=timedelta(seconds=4), min_attempts=3, max_attempts=50, max_age=timedelta(hours=2))
EVENT = event()
OLD = NOW - timedelta(hours=3)


def decided(memory: Memory | None, report: Report, **changes: object) -> Decision:
    given_event = dataclasses.replace(EVENT, **changes)  # type: ignore[arg-type] # fields of the event by name
    return decide(memory, given_event, report, now=NOW, policy=POLICY, draw=lambda: 0.5)


def ended(state: State = State.COMPLETED) -> Memory:
    return Memory(recent={EVENT.event_id: state})


def acted(hours: float) -> Memory:
    """Another event of the record has acted, of an operation so many hours after this one's."""
    return Memory(acted_by="other", acted_time=(EVENT.operation_time + timedelta(hours=hours)).isoformat())


@pytest.mark.parametrize("state", [State.COMPLETED, State.SUPERSEDED, State.NO_HANDLER])
def test_what_the_handler_did_is_settled_as_it_says(state: State) -> None:
    report = Done(state, "why", drove=True, agrees=True, deleted=True)
    assert decided(Memory(), report) == Settle(state, "why", acted=True, agrees=True, deleted=True)
    assert decided(None, Done(state, "why")) == Settle(state, "why")


def test_what_somebody_has_postponed_is_tried_at_that_moment_without_jitter() -> None:
    """And without end: its age moves on with the time."""
    postponed = Failed(Postponed("until later", retry_after=3600.0))
    for attempt in (1, 9, 400):
        decision = decided(Memory(), postponed, attempt=attempt, first_failed_at=OLD)
        assert isinstance(decision, RetryAt)
        later = timedelta(hours=1)
        assert (decision.due, decision.first_failed_at) == (NOW + later, OLD + later)


def test_an_event_that_had_ended_keeps_its_state_whatever_comes_of_it_now() -> None:
    """A redelivery may bring the record further; it never changes how the event ended."""
    for state in (State.COMPLETED, State.SUPERSEDED):
        assert decided(ended(state), Done(State.COMPLETED, "", drove=True)) == Duplicate(state, acted=True)
        assert decided(ended(state), Failed(Permanent("no"))) == Duplicate(state, acted=False)
        assert decided(ended(state), Failed(ValueError("defect"))) == Duplicate(state, acted=False)
    retried = decided(ended(), Failed(Transient("later")))
    assert isinstance(retried, RetryAt)
    assert retried.known


def test_an_invocation_that_lost_its_session_withdraws_whatever_is_remembered() -> None:
    for memory in (None, Memory(), ended(), acted(1)):
        assert decided(memory, Failed(Fenced("lost"))) == Withdraw()


def test_a_permanent_failure_is_dead_lettered_with_its_reason() -> None:
    error = Permanent("the ERP refuses it", reason="erp-rejected")
    assert decided(Memory(), Failed(error)) == ToDeadLetter("erp-rejected", "the ERP refuses it", error)


def test_a_defect_is_dead_lettered_without_its_message() -> None:
    """The message of an unforeseen error may quote data."""
    decision = decided(Memory(), Failed(ValueError("secret of a customer")))
    assert isinstance(decision, ToDeadLetter)
    assert decision.reason == "unexpected-error"
    assert "secret" not in decision.detail
    assert "ValueError" in decision.detail


def test_a_failure_is_superseded_where_a_later_change_has_been_brought_through() -> None:
    """A latecomer that fails must not mark a healthy row as failed."""
    for error in (Permanent("no"), ValueError("defect")):
        decision = decided(acted(1), Failed(error))
        assert isinstance(decision, Settle)
        assert (decision.state, decision.acted, decision.agrees) == (State.SUPERSEDED, False, False)
        assert "other" in decision.detail
        assert isinstance(decided(acted(-1), Failed(error)), ToDeadLetter)
        assert isinstance(decided(acted(0), Failed(error)), ToDeadLetter)


def test_a_failure_of_one_event_ages_from_its_first_failed_attempt() -> None:
    error = Transient("later")
    first = decided(Memory(), Failed(error), accepted_time=OLD)
    assert first == RetryAt(NOW + timedelta(seconds=2), NOW, error, known=False)
    again = decided(Memory(), Failed(Transient("later")), attempt=2, first_failed_at=NOW - timedelta(minutes=5))
    assert isinstance(again, RetryAt)
    assert again.first_failed_at == NOW - timedelta(minutes=5)
    assert again.due == NOW + timedelta(seconds=4)


def test_it_gives_up_by_age_only_after_enough_attempts() -> None:
    """An event that waited for a day while nothing ran is not given up at its first failure."""
    error = Transient("later", reason="erp-conflict")
    assert isinstance(decided(Memory(), Failed(error), attempt=2, first_failed_at=OLD), RetryAt)
    given_up = decided(Memory(), Failed(error), attempt=3, first_failed_at=OLD)
    assert isinstance(given_up, ToDeadLetter)
    assert given_up.reason == "retries-exhausted"
    assert "3 attempts in 3:00:00" in given_up.detail
    assert isinstance(decided(acted(1), Failed(error), attempt=3, first_failed_at=OLD), Settle)
    assert decided(ended(), Failed(error), attempt=3, first_failed_at=OLD) == Duplicate(State.COMPLETED, acted=False)


@pytest.mark.parametrize(
    "error", [Outage("away"), Throttled("wait", retry_after=60.0), Paused("held", retry_after=60.0)]
)
def test_an_outage_of_a_whole_system_never_gives_up_and_stops_the_age(error: Outage) -> None:
    """Nothing is dead-lettered because a system was away, throttled us or was paused, however long that took."""
    decision = decided(Memory(), Failed(error), attempt=10_000, first_failed_at=OLD)
    assert isinstance(decision, RetryAt)
    delay = decision.due - NOW
    assert delay >= timedelta(seconds=error.retry_after or 0)
    assert decision.first_failed_at == OLD + delay
    assert decided(Memory(), Failed(error)) == RetryAt(NOW + _first(error), None, error, known=False)


def _first(error: Outage) -> timedelta:
    return timedelta(seconds=(error.retry_after or 0) + 2)


def test_without_a_ledger_an_event_is_retried_or_dead_lettered_by_itself() -> None:
    assert isinstance(decided(None, Failed(Outage("ledger away"))), RetryAt)
    assert isinstance(decided(None, Failed(Unreadable("schema"))), ToDeadLetter)


def test_a_dead_lettered_message_passes_on_until_the_broker_has_moved_it() -> None:
    """Twice as often as the broker counts, which may not count all."""
    for returns in range(RETURNS + 2):
        letter = DeadLetter("erp-rejected", "no", "", returns)
        memory = Memory(dead_letters={EVENT.event_id: letter})
        assert on_arrival(memory, EVENT) == (PassOn(letter) if returns < RETURNS else None)
    assert on_arrival(Memory(dead_letters={"another": DeadLetter("x", "", "")}), EVENT) is None
    assert on_arrival(ended(), EVENT) is None


@given(
    st.sampled_from([None, *State]),
    st.sampled_from([-1, 0, 1]),
    st.integers(1, 60),
    st.sampled_from([None, OLD, NOW]),
    st.sampled_from([Transient("t"), Outage("o"), Permanent("p"), ValueError("v"), Fenced("f")]),
)
def test_every_combination_has_one_decision_that_loses_nothing(
    known: State | None, later: int, attempt: int, since: datetime | None, error: Exception
) -> None:
    """An event ends, waits, is dead-lettered, or is left to another invocation: there is no other way."""
    memory = acted(later)
    if known is not None:
        memory.recent[EVENT.event_id] = known
    decision = decided(memory, Failed(error), attempt=attempt, first_failed_at=since)
    assert isinstance(decision, Settle | Duplicate | RetryAt | ToDeadLetter | Withdraw)
    if isinstance(decision, ToDeadLetter):
        assert known is None
        assert later <= 0
    if isinstance(decision, RetryAt):
        assert decision.due >= NOW
        assert decision.known is (known is not None)


def test_the_table_in_the_docs_names_every_decision() -> None:
    """The page about decisions has a row for each."""
    from pathlib import Path  # noqa: PLC0415 -- for this test alone

    pages = "\n".join(page.read_text(encoding="utf-8") for page in Path("docs").rglob("decisions.md"))
    names = ["Settle", "Duplicate", "RetryAt", "ToDeadLetter", "PassOn", "Withdraw"]
    assert list(itertools.filterfalse(lambda name: f"`{name}`" in pages, names)) == []
