"""Dead letters: who is told why, who makes up for them, and when their messages go on."""

import dataclasses
import json

import pytest

from integration.dataverse import Row
from integration.errors import Outage, Permanent
from integration.ledger import State
from integration.ledger.memory import RETURNS
from integration.worker import DeadLettered, Outcome, Work
from integration.worker.reports import Reported
from tests.builders import event
from tests.memory_table import World


@pytest.fixture
def world() -> World:
    return World.make()


async def test_a_dead_letter_says_why_marks_the_row_and_is_published(world: World) -> None:
    it = world.event()
    world.handler.script = [Permanent("refused", reason="erp-rejected", service="erp")]
    with pytest.raises(DeadLettered, match=f"{it.event_id}: erp-rejected"):
        await world.handle(it)
    assert world.handler.marked == ["erp-rejected"]
    assert json.loads(world.hub.published[0])["data"]["state"] == "dead-lettered"
    assert await world.status(it) is State.DEAD_LETTERED
    for _ in range(RETURNS):
        with pytest.raises(DeadLettered):
            await world.handle(it)
    assert world.handler.marked == ["erp-rejected"]
    assert len(world.hub.published) == 1


async def test_a_dead_letter_put_back_by_hand_is_worked_on_again(world: World) -> None:
    """After its last delivery the message is in the dead-letter queue; whoever sends it back expects work."""
    it = world.event()
    world.handler.script = [Permanent("refused")]
    for _ in range(RETURNS + 1):
        with pytest.raises(DeadLettered):
            await world.handle(it)
    await world.handle(it)
    assert await world.status(it) is State.COMPLETED
    assert world.ledger.memory(it.session_id).dead_letters == {}
    assert world.ledger.table("problems").entities == {}


async def test_a_later_event_resolves_the_dead_letters_of_its_record_and_says_by_what(world: World) -> None:
    it = world.event()
    world.handler.script = [Permanent("refused")]
    with pytest.raises(DeadLettered):
        await world.handle(it)
    later = dataclasses.replace(event(), record_id=it.record_id)
    await world.handle(later)
    await world.ledger.close()
    status = await world.ledger.read(it.event_id)
    assert status is not None
    assert (status.state, status.resolved_by) == (State.RESOLVED, later.event_id)
    await world.handle(it)  # its message, should it come: nothing is left to do
    assert len(world.handler.keys) == 1


async def test_a_dead_letter_that_is_resolved_before_it_was_published_is_published_when_its_message_comes(
    world: World,
) -> None:
    it = world.event()
    world.handler.script = [Permanent("refused")]
    world.hub.away = True
    await world.handle(it)
    ((copy, _),) = world.queue.scheduled
    world.hub.away = False
    world.clock.advance(60)
    await world.handle(dataclasses.replace(event(), record_id=it.record_id))
    await world.handle(copy)
    states = {json.loads(body)["id"]: json.loads(body)["data"]["state"] for body in world.hub.published}
    assert states[it.event_id] == "resolved"


async def test_who_cannot_be_notified_of_a_dead_letter_is_notified_by_a_copy_that_then_goes_on(world: World) -> None:
    it = world.event()
    world.handler.script = [Permanent("refused", reason="erp-rejected")]
    world.handler.mark_error = Outage("dataverse away")
    await world.handle(it)
    ((copy, _),) = world.queue.scheduled
    world.handler.mark_error = None
    with pytest.raises(DeadLettered):
        await world.handle(copy)
    assert world.handler.marked == ["erp-rejected"]
    assert len(world.hub.published) == 1


async def test_a_message_that_is_no_event_is_dead_lettered_under_a_name_of_its_own(world: World) -> None:
    with pytest.raises(DeadLettered, match="unreadable-"):
        await world.worker.handle(b"{}")
    await world.ledger.close()
    (row,) = world.ledger.table("events000000").entities.values()
    assert (row["state"], row["reason"]) == ("dead-lettered", "unreadable")


async def test_a_message_on_its_way_to_the_dead_letter_queue_does_not_undo_the_end_of_its_event(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had lost the session brings the event to its end while the next delivery reports the dead letter."""
    it = world.event()
    world.handler.script = [Permanent("refused")]
    with pytest.raises(DeadLettered):
        await world.handle(it)

    async def meanwhile(*_: object) -> Reported:
        record = await world.ledger.record(it.session_id, guest=True)
        await record.write(lambda memory: memory.end(it.event_id, State.COMPLETED))
        return Reported(("row", "hub"), None)

    monkeypatch.setattr("integration.worker.reports.Reports.dead_letter", meanwhile)
    with pytest.raises(DeadLettered):
        await world.handle(it)
    memory = world.ledger.memory(it.session_id)
    assert memory.dead_letters == {}
    assert memory.recent[it.event_id] is State.COMPLETED


async def test_an_event_that_has_ended_while_it_was_worked_on_twice_is_not_dead_lettered(world: World) -> None:
    """The record decides: who comes second finds that the event has ended."""
    it = world.event()

    async def ended_meanwhile(work: Work, _row: Row) -> Outcome:
        other = await world.ledger.record(it.session_id, guest=True)
        await other.write(lambda memory: memory.end(it.event_id, State.COMPLETED))
        raise Permanent("refused")

    world.handler.script = [ended_meanwhile]
    await world.handle(it)
    memory = world.ledger.memory(it.session_id)
    assert (memory.dead_letters, memory.recent[it.event_id]) == ({}, State.COMPLETED)
    assert world.hub.published == []
