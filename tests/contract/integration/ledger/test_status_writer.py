"""Rows for people are written off the path of events: together, in order, and after an outage."""

import asyncio
import dataclasses
import time
from datetime import UTC, datetime, timedelta

import pytest

from integration.clock import iso
from integration.events import IntegrationEvent
from integration.ledger import DeadLetter, EventStatus, Ledger, State, Step, keys, rows
from integration.ledger import writer as writer_module
from integration.tables import Entity
from tests.builders import event
from tests.contract.integration.ledger.faults import FaultyTransport

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


def waiting(it: IntegrationEvent, **changes: str) -> Entity:
    row = rows.ended(it, State.WAITING, now=NOW, steps=(), reason="erp-unavailable", detail="503", next_attempt=NOW)
    return {**row, **changes}


async def read(ledger: Ledger, it: IntegrationEvent) -> EventStatus:
    """The status as people see it, with all that waits written."""
    await ledger.status.drain()
    found = await ledger.read(it.event_id)
    assert found is not None
    return found


async def problems(ledger: Ledger, state: State, it: IntegrationEvent) -> Entity | None:
    await ledger.status.drain()
    found = await ledger.table(keys.PROBLEMS).get(*keys.problem_keys(state.value, it.event_id))
    return found.entity if found else None


async def test_the_way_of_an_event_is_one_row(ledger: Ledger) -> None:
    """Under way, waiting, done: each adds to what is known, and what went wrong stays in the history."""
    it = event()
    steps = (Step("erp-order", "done", NOW, "order O-1"),)
    ledger.status.put(rows.started(it, (), NOW))
    assert (await read(ledger, it)).state is State.PROCESSING
    ledger.status.put(waiting(it))
    found = await read(ledger, it)
    assert (found.state, found.attempts, found.reason, found.next_attempt) == (
        State.WAITING, 1, "erp-unavailable", NOW,
    )  # fmt: skip
    second = dataclasses.replace(it, attempt=2)
    ledger.status.put(rows.ended(second, State.COMPLETED, now=NOW, steps=steps, detail="ordered", published=True))
    found = await read(ledger, it)
    assert (found.state, found.attempts, found.reason, found.next_attempt) == (State.COMPLETED, 2, None, None)
    assert (found.detail, found.published_time) == ("ordered", NOW)
    assert [step.name for step in found.steps] == ["erp-order", "publish"]
    assert [past["reason"] for past in found.history] == ["erp-unavailable"]


async def test_a_late_row_of_an_earlier_attempt_takes_nothing_back(ledger: Ledger) -> None:
    """An invocation that has lost its session writes that it begins; the event stays ended."""
    it = event()
    ledger.status.put(rows.ended(it, State.COMPLETED, now=NOW, steps=()))
    ledger.status.put(rows.started(dataclasses.replace(it, attempt=2), (), NOW))
    assert (await read(ledger, it)).state is State.COMPLETED


async def test_changes_of_one_event_are_written_in_their_order_and_together(
    ledger: Ledger, transport: FaultyTransport
) -> None:
    """What comes within a moment is one write; the last word on each property holds."""
    it = event()
    transport.sent.clear()
    ledger.status.put(rows.started(it, (), NOW))
    for number in range(20):
        ledger.status.put(waiting(it, detail=f"try {number}"))
    ledger.status.put(rows.ended(it, State.COMPLETED, now=NOW, steps=(), detail="done"))
    found = await read(ledger, it)
    assert (found.state, found.detail) == (State.COMPLETED, "done")
    writes = [call for call in transport.sent if not call.startswith("GET")]
    assert len([call for call in writes if "events202611" in call]) == 1


async def test_a_problem_that_is_cleared_does_not_come_back(ledger: Ledger) -> None:
    """Put and cleared in one moment, cleared later, cleared and put again."""
    gone, later, back = event(), event(), event()
    for it in (gone, later):
        ledger.status.put_problem(rows.problem_row(rows.to_status(waiting(it)), iso(NOW)))
    ledger.status.clear_problem("waiting", gone.event_id)
    assert await problems(ledger, State.WAITING, gone) is None
    assert await problems(ledger, State.WAITING, later) is not None
    ledger.status.clear_problem("waiting", later.event_id)
    ledger.status.clear_problem("waiting", back.event_id)
    ledger.status.put_problem(rows.problem_row(rows.to_status(waiting(back)), iso(NOW)))
    assert await problems(ledger, State.WAITING, later) is None
    found = await problems(ledger, State.WAITING, back)
    assert found is not None
    assert (found["reason"], found["system"]) == ("erp-unavailable", "")


async def test_rows_survive_an_outage_of_the_tables(ledger: Ledger, transport: FaultyTransport) -> None:
    """Of a few seconds here, of ten minutes at most; in order, and what came meanwhile as well."""
    first, second = event(), event()
    transport.away = True
    ledger.status.put(waiting(first))
    ledger.status.put_problem(rows.problem_row(rows.to_status(waiting(first)), iso(NOW)))
    await asyncio.sleep(1.5)
    ledger.status.put(rows.ended(first, State.COMPLETED, now=NOW, steps=()))
    ledger.status.clear_problem("waiting", first.event_id)
    ledger.status.put(waiting(second))
    transport.away = False
    assert (await read(ledger, first)).state is State.COMPLETED
    assert (await read(ledger, second)).state is State.WAITING
    assert await problems(ledger, State.WAITING, first) is None


async def test_nobody_waits_long_for_a_row(ledger: Ledger, transport: FaultyTransport) -> None:
    """The tables are away: whoever wants a row to be there goes on after two seconds, and it comes later."""
    it = event()
    began = time.monotonic()
    await ledger.status.flushed(waiting(it))
    assert await ledger.table("events202611").get(*keys.event_keys(it.event_id)) is not None
    transport.away = True
    began = time.monotonic()
    await ledger.status.flushed(rows.ended(it, State.COMPLETED, now=NOW, steps=()))
    assert time.monotonic() - began < 4
    transport.away = False
    assert (await read(ledger, it)).state is State.COMPLETED


async def test_one_row_that_is_refused_keeps_no_other_out(ledger: Ledger) -> None:
    """Rows of one record share a transaction: the bad one alone is missing."""
    good = event()
    bad = dataclasses.replace(event(), event_id=f"{good.event_id[:-1]}{'1' if good.event_id[-1] == '0' else '0'}")
    ledger.status.put(waiting(good))
    ledger.status.put(waiting(bad, caller="x" * 40_000))
    ledger.status.put_problem(rows.problem_row(rows.to_status(waiting(good)), iso(NOW)))
    assert (await read(ledger, good)).state is State.WAITING
    assert await ledger.read(bad.event_id) is None
    assert await problems(ledger, State.WAITING, good) is not None


async def test_an_outage_does_not_fill_the_memory(
    ledger: Ledger, transport: FaultyTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too much is dropped: a row can be made again from its record."""
    monkeypatch.setattr(writer_module, "_MOST_WAITING", 10)
    transport.away = True
    events = [event() for _ in range(50)]
    for it in events:
        ledger.status.put(waiting(it))
    await asyncio.sleep(0.3)
    transport.away = False
    await ledger.status.drain()
    found = [await ledger.read(it.event_id) for it in events]
    assert len([it for it in found if it is not None]) == 10


async def test_a_row_that_was_lost_with_its_process_is_made_again(ledger: Ledger) -> None:
    """The record knows how the event ended; whoever asks for it finds that, and the lists are right again."""
    done, dead = event(), event()
    dead = dataclasses.replace(dead, record_id=done.record_id)
    ledger.status.put(waiting(done))
    ledger.status.put(waiting(dead))
    for it in (done, dead):
        ledger.status.put_problem(rows.problem_row(rows.to_status(waiting(it)), iso(NOW)))
    await ledger.status.drain()
    record = await ledger.record(done.session_id)
    record.change(lambda memory: memory.end(done.event_id, State.COMPLETED))
    await record.write(lambda memory: memory.bury(dead.event_id, DeadLetter("erp-rejected", "422", NOW.isoformat())))
    assert (await read(ledger, done)).state is State.COMPLETED
    found = await read(ledger, dead)
    assert (found.state, found.reason, found.detail) == (State.DEAD_LETTERED, "erp-rejected", "422")
    assert await problems(ledger, State.WAITING, done) is None
    assert await problems(ledger, State.WAITING, dead) is None
    listed = await problems(ledger, State.DEAD_LETTERED, dead)
    assert listed is not None
    assert listed["reason"] == "erp-rejected"


async def test_an_event_that_is_under_way_is_not_made_anything_else(ledger: Ledger) -> None:
    """The record knows of no end: it is still being worked on, or waits."""
    it = event()
    ledger.status.put(waiting(it))
    assert (await read(ledger, it)).state is State.WAITING
    young = dataclasses.replace(it, accepted_time=datetime.now(UTC) - timedelta(seconds=1))
    ledger.status.put(rows.started(young, (), datetime.now(UTC)))
    assert (await read(ledger, it)).state is State.WAITING
