"""The ledger against Azurite, through the real Tables SDK."""

import dataclasses
from datetime import UTC, datetime

import pytest
from azure.data.tables import TableServiceClient

from integration.clock import SystemClock
from integration.errors import Transient
from integration.ledger import Ledger, Records, State, Tables
from tests.builders import event


def test_an_accepted_event_is_found_by_id_and_by_correlation_id(ledger: Ledger) -> None:
    """What the intake wrote down is what support sees."""
    it = event()
    ledger.accept(it).result(10)
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.table, found.record_id) == (State.ACCEPTED, "opportunity", it.record_id)
    assert found.accepted_time == it.accepted_time
    assert [operation.event_id for operation in ledger.by_correlation(it.correlation_id)] == [it.event_id]


def test_many_events_accepted_together_are_all_there(ledger: Ledger) -> None:
    """Batches over several partitions, and more rows than one transaction takes."""
    events = [event(minute=f"2026112019{n % 3:02}") for n in range(230)]
    for future in [ledger.accept(it) for it in events]:
        future.result(30)
    assert all(ledger.read(it.event_id) for it in events)


def test_a_redelivery_does_not_take_an_event_back_to_accepted(ledger: Ledger) -> None:
    """The intake's row is created once; what the worker wrote since stays."""
    it = event()
    ledger.accept(it).result(10)
    ledger.open(it).settle(State.COMPLETED, detail="done")
    later = dataclasses.replace(it, accepted_time=datetime(2026, 11, 20, 20, 0, tzinfo=UTC))
    ledger.accept(later).result(10)
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.accepted_time) == (State.COMPLETED, it.accepted_time)


def test_the_worker_may_be_faster_than_the_intake(ledger: Ledger) -> None:
    """An event that the worker settled before the intake wrote it down is complete all the same."""
    it = event()
    ledger.open(it).settle(State.COMPLETED)
    ledger.accept(it).result(10)
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.correlation_id, found.table) == (State.COMPLETED, it.correlation_id, it.table)


def test_an_effect_is_done_only_with_the_basis_it_was_done_with(ledger: Ledger) -> None:
    """An answer is kept for the next delivery; another basis is another effect."""
    it = event()
    entry = ledger.open(it)
    entry.start("credit-score", "basis-1")
    assert ledger.open(it).done("credit-score", "basis-1") is None
    entry.finish("credit-score", "basis-1", {"score": 700}, "approved (700)")
    again = ledger.open(it)
    step = again.done("credit-score", "basis-1")
    assert step is not None
    assert step.answer == {"score": 700}
    assert again.done("credit-score", "basis-2") is None
    assert again.state is State.PROCESSING


def test_the_first_effect_puts_an_accepted_event_in_work(ledger: Ledger) -> None:
    """Whoever asks meanwhile sees it, though the event's own row is not written again."""
    it = event()
    ledger.accept(it).result(10)
    ledger.open(it).start("credit-score", "basis-1")
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.attempts) == (State.PROCESSING, 1)
    assert [(step.name, step.state) for step in found.steps] == [("credit-score", "started")]


def test_an_event_that_waited_is_in_work_again_with_its_next_effect(ledger: Ledger) -> None:
    """The time of the next attempt goes when that attempt begins an effect."""
    it = event()
    ledger.open(it).wait(datetime(2026, 11, 20, 19, 10, tzinfo=UTC), reason="erp-unavailable", detail="503")
    ledger.open(dataclasses.replace(it, attempt=2)).start("credit-score", "basis-1")
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.attempts, found.next_attempt) == (State.PROCESSING, 2, None)


def test_a_settled_event_has_its_publication_as_last_step(ledger: Ledger) -> None:
    """An event is settled once the hub was told."""
    it = event()
    entry = ledger.open(it)
    entry.start("credit-score", "basis-1")
    entry.finish("credit-score", "basis-1", {"score": 700})
    entry.settle(State.COMPLETED, detail="done")
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.detail) == (State.COMPLETED, "done")
    assert [(step.name, step.state) for step in found.steps] == [("credit-score", "done"), ("publish", "done")]


def test_a_verdict_holds_reason_attempts_and_history(ledger: Ledger) -> None:
    """What support reads beside the dead letter."""
    it = event()
    ledger.open(it).wait(datetime(2026, 11, 20, 19, 10, tzinfo=UTC), reason="erp-unavailable", detail="503")
    waiting = ledger.read(it.event_id)
    assert waiting is not None
    assert waiting.next_attempt == datetime(2026, 11, 20, 19, 10, tzinfo=UTC)
    ledger.open(dataclasses.replace(it, attempt=2)).condemn(reason="erp-rejected", detail="422 unknown currency")
    found = ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.reason, found.attempts) == (State.DEAD_LETTERED, "erp-rejected", 2)
    assert [past["reason"] for past in found.history] == ["erp-unavailable", "erp-rejected"]
    assert found.next_attempt is None


def test_an_unknown_event_is_none(ledger: Ledger) -> None:
    """Absence is an answer, not an error."""
    assert ledger.read("202601010000-" + "0" * 32) is None


def test_correlation_ids_of_any_form_are_kept_apart(ledger: Ledger) -> None:
    """Slashes, quotes and length are the caller's business."""
    strange = ["a/b\\c#d?e'f", "ü" * 200, "x"]
    events = [event(correlation_id=correlation_id) for correlation_id in strange]
    for it in events:
        ledger.accept(it).result(10)
    for it in events:
        assert [found.event_id for found in ledger.by_correlation(it.correlation_id)] == [it.event_id]


def test_tables_that_are_away_are_transient() -> None:
    """Whatever goes wrong there is worth trying again."""
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=aaaa;TableEndpoint=http://127.0.0.1:9/a;"
    away = Tables(lambda: TableServiceClient.from_connection_string(nowhere, retry_total=0))
    with pytest.raises(Transient):
        Ledger(away, SystemClock()).read("202601010000-" + "0" * 32)


def test_records_remember_effects_apart(records: Records) -> None:
    """Two events of different tables may remember different effects of one record."""
    assert records.recall("account", "1").event_id == ""
    records.remember("account", "1", bases={"erp-customer": "b1"}, row_version=7, event_id="e1")
    records.remember("account", "1", bases={"other": "b2"})
    memory = records.recall("account", "1")
    assert (memory.row_version, memory.event_id) == (7, "e1")
    assert memory.bases == {"erp-customer": "b1", "other": "b2"}
