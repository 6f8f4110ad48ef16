"""What people look at is made again from what decides."""

import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from integration.clock import iso
from integration.events import IntegrationEvent
from integration.ledger import DeadLetter, Ledger, State, keys, rows
from integration.ledger.problems import Problems
from integration.ledger.queries import Queries
from integration.ledger.rebuild import Rebuild
from integration.ledger.transfer import tables
from tests.builders import event

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def nothing_else(ledger: Ledger) -> None:
    """A ledger that other tests have not written to."""
    for name in await tables(ledger):
        await ledger.table(name).drop()


async def put(ledger: Ledger, it: IntegrationEvent, state: State) -> None:
    """An event in a state, with its place in the list of problems."""
    row = rows.ended(it, state, now=NOW, steps=(), reason="erp-rejected", detail="422", next_attempt=NOW)
    ledger.status.put(row)
    ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(NOW)))
    await ledger.status.drain()


async def listed(ledger: Ledger, state: State) -> set[str]:
    return {it.event_id for it in await Problems(ledger).first(state.value, 1_000)}


async def test_lost_indexes_are_made_again(ledger: Ledger) -> None:
    """By correlation id and by time."""
    it = event(minute="203405201905")
    await ledger.accept(it, urgent=True)
    await ledger.table("index203405").drop()
    queries, hour = Queries(ledger), datetime(2034, 5, 20, 19, tzinfo=UTC)
    assert await queries.by_correlation(it.correlation_id) == []
    records = len([it async for it in ledger.table(keys.RECORDS).query(None)])
    assert (await Rebuild(ledger).run()).records == records
    assert [found.event_id for found in await queries.by_correlation(it.correlation_id)] == [it.event_id]
    assert it.event_id in {found.event_id for found in await queries.by_time(hour, hour.replace(hour=20))}


async def test_the_list_of_problems_agrees_with_the_events_again(ledger: Ledger) -> None:
    """What is missing comes back, what is none any more goes."""
    missing, solved, waiting = event(), event(), event()
    await put(ledger, missing, State.DEAD_LETTERED)
    await put(ledger, waiting, State.WAITING)
    await put(ledger, solved, State.WAITING)
    ledger.status.clear_problem("dead-lettered", missing.event_id)
    ledger.status.put(rows.ended(dataclasses.replace(solved, attempt=2), State.COMPLETED, now=NOW, steps=()))
    ledger.status.put_problem(rows.behind_row(solved, "erp", NOW))
    await ledger.status.drain()
    done = await Rebuild(ledger).run()
    assert done.removed == 1
    assert missing.event_id in await listed(ledger, State.DEAD_LETTERED)
    assert waiting.event_id in await listed(ledger, State.WAITING)
    assert solved.event_id not in await listed(ledger, State.WAITING)
    behind = {it.event_id for it in await Problems(ledger).first("system-behind", 1_000)}
    assert solved.event_id in behind
    assert (await Rebuild(ledger).run()).removed == 0


async def test_events_whose_end_was_lost_get_it_from_their_record(ledger: Ledger) -> None:
    """The row says that it waits; the record has ended it."""
    it = event()
    await put(ledger, it, State.WAITING)
    await (await ledger.record(it.session_id)).write(lambda memory: memory.end(it.event_id, State.COMPLETED))
    await Rebuild(ledger).run()
    found = await ledger.table("events202611").get(*keys.event_keys(it.event_id))
    assert found is not None
    assert found.entity["state"] == "completed"
    assert it.event_id not in await listed(ledger, State.WAITING)


async def test_dead_letters_without_a_row_get_one(ledger: Ledger) -> None:
    """The tables of events were lost, the records are there: nothing that failed is forgotten."""
    it = event(minute="203406201905")
    letter = DeadLetter("erp-rejected", "422", NOW.isoformat())
    await (await ledger.record(it.session_id)).write(lambda memory: memory.bury(it.event_id, letter))
    done = await Rebuild(ledger).run()
    assert done.dead_letters == 1
    found = await ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.reason, found.table, found.record_id) == (
        State.DEAD_LETTERED, "erp-rejected", it.table, it.record_id,
    )  # fmt: skip
    assert it.event_id in await listed(ledger, State.DEAD_LETTERED)


async def test_records_are_left_as_they_are(ledger: Ledger) -> None:
    """They decide: nothing here changes them."""
    session_id = f"account:{uuid.uuid4()}"
    await (await ledger.record(session_id)).write(lambda memory: memory.end("e", State.COMPLETED))
    before = await ledger.table(keys.RECORDS).get(*keys.record_keys(session_id))
    await Rebuild(ledger).run()
    assert await ledger.table(keys.RECORDS).get(*keys.record_keys(session_id)) == before
