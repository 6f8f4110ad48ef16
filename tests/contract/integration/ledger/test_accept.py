"""What the intake writes down of an event."""

import asyncio
import dataclasses
from datetime import UTC, datetime

from integration.ledger import Ledger, State, rows
from integration.ledger.queries import Queries
from tests.builders import event
from tests.contract.integration.ledger.faults import Fault, FaultyTransport

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


async def test_an_accepted_event_is_found_by_id_and_by_correlation_id(ledger: Ledger) -> None:
    """What the intake wrote down is what support sees."""
    it = dataclasses.replace(event(), caller="dataverse")
    await ledger.accept(it, urgent=True)
    found = await ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.table, found.record_id) == (State.ACCEPTED, "opportunity", it.record_id)
    assert (found.accepted_time, found.caller) == (it.accepted_time, "dataverse")
    assert [it.event_id for it in await Queries(ledger).by_correlation(it.correlation_id)] == [it.event_id]


async def test_who_has_its_answer_finds_the_event_before_it_is_written(
    ledger: Ledger, transport: FaultyTransport
) -> None:
    """A caller may ask for the status of an event as soon as it has its 202."""
    it = event()
    written = ledger.accept(it)
    before = await ledger.read(it.event_id)
    assert not written.done()
    assert not [call for call in transport.sent if not call.startswith("GET")]
    await written
    assert before is not None
    assert before == await ledger.read(it.event_id)


async def test_many_events_accepted_together_are_all_there(ledger: Ledger) -> None:
    """Of several months and partitions, and more rows than one transaction takes."""
    events = [event(minute=f"2026{10 + n % 3}201905", correlation_id="many") for n in range(230)]
    await asyncio.gather(*(ledger.accept(it) for it in events))
    assert all(await asyncio.gather(*(ledger.read(it.event_id) for it in events)))


async def test_a_redelivery_changes_nothing(ledger: Ledger) -> None:
    """The row is created once; what the worker wrote since stays."""
    it = event()
    await ledger.accept(it, urgent=True)
    ledger.status.put(rows.ended(it, State.COMPLETED, now=NOW, steps=(), detail="done"))
    await ledger.status.drain()
    before = await ledger.read(it.event_id)
    await ledger.accept(dataclasses.replace(it, accepted_time=datetime(2026, 11, 20, 20, 0, tzinfo=UTC), caller="x"))
    assert await ledger.read(it.event_id) == before


async def test_the_worker_may_be_faster_than_the_intake(ledger: Ledger) -> None:
    """An event that was settled before the intake wrote it down is complete all the same, and is found."""
    it = event()
    ledger.status.put(rows.ended(it, State.COMPLETED, now=NOW, steps=()))
    await ledger.status.drain()
    await ledger.accept(it, urgent=True)
    found = await ledger.read(it.event_id)
    assert found is not None
    assert (found.state, found.correlation_id, found.table) == (State.COMPLETED, it.correlation_id, it.table)
    assert [it.event_id for it in await Queries(ledger).by_correlation(it.correlation_id)] == [it.event_id]


async def test_an_answer_that_was_lost_does_no_harm(ledger: Ledger, transport: FaultyTransport) -> None:
    """It is written again: the row is there, as is its place in the indexes."""
    it = event()
    transport.faults = [Fault.ANSWER_LOST, Fault.ANSWER_LOST, Fault.AWAY]
    await ledger.accept(it, urgent=True)
    assert await ledger.read(it.event_id) is not None
    assert [it.event_id for it in await Queries(ledger).by_correlation(it.correlation_id)] == [it.event_id]


async def test_an_unknown_event_is_none(ledger: Ledger) -> None:
    """Absence is an answer, not an error; also where there is no table of its month."""
    assert await ledger.read("202601010000-" + "0" * 32) is None
    assert await ledger.read("unreadable-" + "0" * 32) is None
