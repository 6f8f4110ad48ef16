"""The layout of the ledger's tables: what one version has written, every later one has to find and to read."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone

import pytest

from integration.clock import iso
from integration.events import IntegrationEvent
from integration.ledger import DeadLetter, EventStatus, Memory, State, Step, keys, problems, rows
from integration.tables import Entity
from tests.builders import event

ID = "202611201905-0123456789abcdef0123456789abcdef"
RECORD = "11111111-2222-3333-4444-555555555555"
AT = datetime(2026, 11, 20, 20, 0, 1, 500_000, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
STEPS = (Step("order", "done", AT, "N-1"), Step("score", "started", AT - timedelta(seconds=1)))


@pytest.fixture
def it() -> IntegrationEvent:
    return dataclasses.replace(
        event(correlation_id="c-1"), event_id=ID, record_id=RECORD, caller="dataverse", attempt=3
    )


def test_keys_are_where_every_version_looks_for_them() -> None:
    """Another hash, another prefix, another number of digits: and nothing that was stored before is found."""
    assert keys.event_keys(ID) == ("01234567", ID)
    assert keys.event_keys("unreadable-1") == (keys.hashed("unreadable-1", 8), "unreadable-1")
    assert keys.hashed("unreadable-1", 8) == "5f30e9d1"
    assert keys.correlation_keys("c-1", ID) == ("c.1", "9d58d3430363985e7a8e033c923d8f19." + ID)
    assert keys.time_keys(ID) == ("t.2019", ID)
    assert keys.problem_keys("waiting", ID) == ("waiting.d", ID)
    assert keys.record_keys("account:1") == ("16a1b7d8", "account:1")


def test_events_of_a_month_are_in_tables_of_that_month() -> None:
    assert keys.month_of(ID) == "202611"
    assert keys.month_of(f"x{ID}") == keys.NO_MONTH == "000000"
    assert (keys.events_table("202611"), keys.index_table("202611")) == ("events202611", "index202611")
    assert keys.records_table("account:1") == "records"
    assert keys.records_table(ID) == "records202611"
    assert keys.month_of_table("index202611") == ("index", "202611")
    assert [keys.month_of_table(name) for name in ("records", "queue202611", "eventsabcdef")] == [None] * 3


def test_months_are_those_of_utc() -> None:
    east = timezone(timedelta(hours=3))
    assert keys.month_at(datetime(2026, 12, 1, 2, tzinfo=east)) == "202611"
    assert keys.month_at(AT, back=11) == "202512"


def test_the_partitions_of_an_hour_and_of_a_state_are_those_that_their_rows_are_in() -> None:
    hour = datetime(2026, 11, 20, 22, tzinfo=timezone(timedelta(hours=3)))
    assert keys.time_keys(ID)[0] == keys.time_partition(hour)
    assert len(set(keys.problem_partitions("waiting"))) == 16
    assert keys.problem_keys("waiting", ID)[0] in keys.problem_partitions("waiting")


def test_the_row_of_an_accepted_event_says_who_and_what(it: IntegrationEvent) -> None:
    assert rows.event_row(it) == {
        "PartitionKey": "01234567",
        "RowKey": ID,
        "schema": 1,
        "table": "opportunity",
        "recordId": RECORD,
        "message": "Update",
        "organisation": "org",
        "correlationId": "c-1",
        "acceptedTime": "2026-11-20T19:05:01.000Z",
        "caller": "dataverse",
        "replayOf": "",
        "cause": "",
        "traceparent": "",
    }


def test_an_event_is_found_by_its_correlation_and_by_its_time(it: IntegrationEvent) -> None:
    """The second one shows what it is about without another read."""
    by_correlation, by_time = rows.index_rows(it)
    assert by_correlation["eventId"] == by_time["eventId"] == ID
    assert (by_correlation["PartitionKey"], by_correlation["RowKey"]) == keys.correlation_keys("c-1", ID)
    assert (by_time["PartitionKey"], by_time["RowKey"]) == keys.time_keys(ID)
    assert (by_time["table"], by_time["recordId"], by_time["message"]) == ("opportunity", RECORD, "Update")


def test_what_an_event_lacks_is_an_empty_text_in_every_row(it: IntegrationEvent) -> None:
    """A table has no null: an empty text takes back what stood there before."""
    bare = dataclasses.replace(it, record_id=None, caller=None)
    accepted = rows.event_row(bare)
    assert (accepted["recordId"], accepted["caller"], accepted["replayOf"]) == ("", "", "")
    assert rows.index_rows(bare)[1]["recordId"] == ""
    assert rows.behind_row(bare, "erp", AT)["recordId"] == ""

    ended = rows.ended(bare, State.WAITING, now=AT, steps=())
    assert (ended["reason"], ended["detail"], ended["system"], ended["nextAttempt"]) == ("", "", "", "")
    assert "publishedTime" not in ended
    problem = rows.problem_row(rows.to_status(ended), "")
    assert {problem[name] for name in ("recordId", "reason", "detail", "system", "nextAttempt")} == {""}


def test_a_row_that_says_little_is_read_all_the_same() -> None:
    """Of an event whose first row was lost with its process."""
    status = rows.to_status({"PartitionKey": "p", "RowKey": ID})

    assert (status.correlation_id, status.organisation, status.table, status.message) == ("", "", "", "")
    assert (status.state, status.attempts, status.accepted_time) == (State.ACCEPTED, 0, rows.UNKNOWN_TIME)
    assert (status.record_id, status.caller, status.reason, status.note) == (None, None, None, None)
    assert (status.history, status.steps) == ((), ())


def status_of(*merged: Entity) -> EventStatus:
    """What people see after these rows were merged."""
    whole: Entity = {}
    for row in merged:
        whole |= row
    return rows.to_status(whole)


def test_an_accepted_event_shows_what_is_known_of_it(it: IntegrationEvent) -> None:
    assert status_of(rows.event_row(dataclasses.replace(it, replay_of="e0"))) == EventStatus(
        event_id=ID,
        correlation_id="c-1",
        organisation="org",
        table="opportunity",
        record_id=RECORD,
        message="Update",
        state=State.ACCEPTED,
        accepted_time=it.accepted_time,
        caller="dataverse",
        replay_of="e0",
    )


def test_an_attempt_that_has_begun_is_under_way_until_it_ends(it: IntegrationEvent) -> None:
    status = status_of(rows.started(it, STEPS, AT))
    assert (status.state, status.attempts, status.changed_time) == (State.PROCESSING, 3, AT)
    assert [step.name for step in status.steps] == ["score", "order"]

    late = status_of(rows.ended(it, State.COMPLETED, now=LATER, steps=STEPS), rows.started(it, STEPS, AT))
    assert (late.state, late.changed_time) == (State.COMPLETED, LATER)


def test_an_attempt_that_failed_says_why_and_when_the_next_one_is(it: IntegrationEvent) -> None:
    row = rows.ended(
        it,
        State.WAITING,
        now=AT,
        steps=STEPS,
        reason="erp-timeout",
        detail="x" * 2_000,
        system="erp",
        next_attempt=LATER,
    )
    status = status_of(row)
    assert (status.state, status.attempts, status.next_attempt) == (State.WAITING, 3, LATER)
    assert (status.reason, status.system, status.changed_time) == ("erp-timeout", "erp", AT)
    assert status.detail == "x" * 1_000
    assert status.steps == (STEPS[1], STEPS[0])
    (failed,) = status.history
    assert failed == {"attempt": 3, "at": iso(AT), "reason": "erp-timeout", "detail": "x" * 1_000}
    assert status.published_time is None


def test_an_event_that_ended_has_no_next_attempt_and_its_publishing_is_a_step(it: IntegrationEvent) -> None:
    before = rows.ended(it, State.WAITING, now=AT, steps=(), reason="erp-timeout", next_attempt=LATER)
    after = rows.ended(it, State.COMPLETED, now=LATER, steps=STEPS, published=True)
    status = status_of(before, {**after, "nextAttempt": iso(LATER)})

    assert (status.state, status.next_attempt, status.reason) == (State.COMPLETED, None, None)
    assert (status.steps[-1], status.published_time) == (Step("publish", "done", LATER), LATER)
    assert len(status.history) == 1


def test_the_history_has_the_last_twenty_failures_in_their_order(it: IntegrationEvent) -> None:
    failures = [
        rows.ended(dataclasses.replace(it, attempt=number), State.WAITING, now=AT, steps=(), reason="erp-timeout")
        for number in range(1, 31)
    ]
    assert [entry["attempt"] for entry in status_of(*failures).history] == list(range(11, 31))


def test_what_was_made_up_for_says_by_what(it: IntegrationEvent) -> None:
    dead = rows.ended(it, State.DEAD_LETTERED, now=AT, steps=(), reason="erp-rejected")
    status = status_of(dead, rows.resolved(ID, by="e2", now=LATER))

    assert (status.state, status.resolved_by, status.changed_time) == (State.RESOLVED, "e2", LATER)
    assert status.reason == "erp-rejected"


def test_a_problem_is_listed_as_it_was_written(it: IntegrationEvent) -> None:
    row = rows.ended(
        it, State.WAITING, now=AT, steps=(), reason="erp-timeout", detail="no answer", system="erp", next_attempt=LATER
    )
    listed = rows.problem_row(rows.to_status(row), iso(AT))

    assert (listed["PartitionKey"], listed["RowKey"]) == keys.problem_keys("waiting", ID)
    assert problems._problem("waiting", listed) == problems.Problem(
        event_id=ID,
        state="waiting",
        table="opportunity",
        record_id=RECORD,
        message="Update",
        reason="erp-timeout",
        detail="no answer",
        system="erp",
        attempts=3,
        since=AT,
        next_attempt=LATER,
    )


def test_a_problem_of_which_little_is_known_is_listed_without_it() -> None:
    """An unreadable message has no table and no record."""
    problem = problems._problem("dead-lettered", {"PartitionKey": "p", "RowKey": "unreadable-1"})

    assert (problem.table, problem.message, problem.reason, problem.detail) == ("", "", "", "")
    assert (problem.record_id, problem.system, problem.attempts) == (None, None, 0)
    assert (problem.since, problem.next_attempt) == (None, None)


def test_a_system_that_was_found_behind_is_listed_with_the_event_that_noticed_it(it: IntegrationEvent) -> None:
    problem = problems._problem("system-behind", rows.behind_row(it, "erp", AT))

    assert (problem.event_id, problem.reason, problem.system) == (ID, "erp-behind", "erp")
    assert (problem.table, problem.record_id, problem.message) == ("opportunity", RECORD, "Update")
    assert (problem.attempts, problem.since, problem.next_attempt) == (3, AT, None)
    assert rows.behind_row(it, "erp", AT)["PartitionKey"] in keys.problem_partitions("system-behind")


def remembered(it: IntegrationEvent) -> Memory:
    memory = Memory()
    memory.start("order", "f", event_id=it.event_id, at=AT.isoformat())
    memory.finish("order", 1, "f", {}, at=AT.isoformat(), detail="N-1")
    memory.start("score", "f", event_id=it.event_id, at=LATER.isoformat())
    memory.start("other", "f", event_id="another", at=AT.isoformat())
    return memory


def test_a_row_that_was_lost_is_made_again_from_what_the_record_remembers(it: IntegrationEvent) -> None:
    """With the effects of this event, done or started, and none of another's."""
    memory = remembered(it)
    memory.end(ID, State.COMPLETED)
    known = status_of(rows.event_row(it))
    row = rows.from_memory(known, memory)
    assert row is not None

    status = status_of(rows.event_row(it), row)
    assert (status.state, status.attempts, status.reason) == (State.COMPLETED, 1, None)
    assert status.steps == (Step("order", "done", AT, "N-1"), Step("score", "started", LATER))


def test_a_dead_letter_that_was_lost_is_made_again_with_its_reason(it: IntegrationEvent) -> None:
    memory = remembered(it)
    memory.bury(ID, DeadLetter("erp-rejected", "refused", LATER.isoformat()))
    row = rows.from_memory(dataclasses.replace(status_of(rows.event_row(it)), attempts=7), memory)
    assert row is not None

    status = status_of(rows.event_row(it), row)
    assert (status.state, status.attempts) == (State.DEAD_LETTERED, 7)
    assert (status.reason, status.detail, status.changed_time) == ("erp-rejected", "refused", LATER)


def test_a_record_that_knows_of_no_end_makes_no_row(it: IntegrationEvent) -> None:
    assert rows.from_memory(status_of(rows.event_row(it)), remembered(it)) is None


@pytest.mark.parametrize("published", [False, True])
def test_an_event_that_comes_again_shows_its_end_again(it: IntegrationEvent, published: bool) -> None:
    status = status_of(rows.again(it, State.COMPLETED, remembered(it), published=LATER if published else None))

    assert (status.state, status.attempts) == (State.COMPLETED, 3)
    assert status.published_time == (LATER if published else None)
    assert {step.name for step in status.steps} == {"order", "score", *(["publish"] if published else [])}


def test_times_are_written_so_that_their_texts_sort() -> None:
    assert iso(datetime(2026, 11, 20, 22, 0, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-20T20:00:01.000Z"
    assert rows.time(iso(AT)) == AT
    assert rows.time("") is None
    assert rows.time(None) is None


@pytest.mark.parametrize(
    ("state", "final", "settled"),
    [
        (State.ACCEPTED, False, False),
        (State.PROCESSING, False, False),
        (State.WAITING, False, False),
        (State.COMPLETED, True, True),
        (State.SUPERSEDED, True, True),
        (State.NO_HANDLER, True, True),
        (State.DEAD_LETTERED, True, False),
        (State.RESOLVED, True, False),
        (State.RESUBMITTED, True, False),
        (State.DISCARDED, True, False),
    ],
)
def test_states_say_whether_an_event_has_ended_and_whether_well(state: State, final: bool, settled: bool) -> None:
    assert (state.final, state.settled) == (final, settled)


def test_states_are_stored_under_the_names_that_people_ask_for() -> None:
    assert [state.value for state in State] == [
        *("accepted", "processing", "waiting", "completed", "superseded", "no-handler"),
        *("dead-lettered", "resolved", "resubmitted", "discarded"),
    ]


def test_an_event_without_a_record_is_its_own_session() -> None:
    """In the ledger as in the queue."""
    without = dataclasses.replace(event(), record_id=None)
    for it in (event(), without):
        assert rows.to_status(rows.event_row(it)).session_id == it.session_id
