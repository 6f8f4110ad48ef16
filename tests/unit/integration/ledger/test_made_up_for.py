"""Dead letters for which a later event has made up, while the process that was to say so in their rows has died."""

import dataclasses

import pytest

from integration.errors import Permanent
from integration.events import to_envelope
from integration.ledger import DeadLetter, EventStatus, State, keys, rows
from integration.ledger.memory import RETURNS
from integration.ledger.writer import StatusWriter
from integration.worker import DeadLettered
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger
from tests.unit.integration.operations.parts import WHO, Desk

LONG_AFTER = 11.0


async def work_and_die(desk: Desk) -> None:
    """The worker takes all that was sent and is killed before it has written any row for people."""
    ledger = desk.world.ledger
    kept, ledger.status = ledger.status, StatusWriter(MemoryLedger(ManualClock()).table)
    try:
        await desk.work()
    finally:
        ledger.status = kept
        desk.world.clock.advance(LONG_AFTER)


async def shown(desk: Desk, event_id: str) -> EventStatus:
    found = await desk.world.ledger.read(event_id)
    assert found is not None
    return found


async def test_an_event_whose_repetition_has_ended_well_is_resolved_by_it() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    again = await desk.repair.retry(original.event_id, **WHO)
    await work_and_die(desk)

    found = await shown(desk, original.event_id)
    assert (found.state, found.replayed_by, found.resolved_by) == (State.RESOLVED, again, again)
    assert (await shown(desk, again)).state is State.COMPLETED


async def test_an_event_whose_repetition_was_repeated_in_its_turn_is_resolved_by_the_last_one() -> None:
    desk = Desk()
    original = await desk.dead_letter()
    second = await desk.repair.retry(original.event_id, **WHO)
    desk.world.handler.script.append(Permanent("refused again", reason="erp-rejected"))
    with pytest.raises(DeadLettered):
        await desk.work()
    await desk.world.ledger.close()
    third = await desk.repair.retry(second, **WHO)
    await work_and_die(desk)

    assert (await shown(desk, original.event_id)).resolved_by == third
    assert (await shown(desk, second)).resolved_by == third


async def test_a_dead_letter_is_resolved_by_the_later_event_of_its_record_and_is_no_problem_any_more() -> None:
    desk = Desk()
    dead = await desk.dead_letter()
    later = dataclasses.replace(event(), record_id=dead.record_id)
    desk.world.queue.sent.append(later)
    await work_and_die(desk)

    found = await shown(desk, dead.event_id)
    assert (found.state, found.resolved_by) == (State.RESOLVED, later.event_id)
    await desk.world.ledger.close()
    assert desk.table(keys.PROBLEMS).entities == {}
    assert (await shown(desk, dead.event_id)) == found


@pytest.mark.parametrize("sent_again", [False, True])
async def test_what_no_later_event_has_made_up_for_stays_as_it_is(sent_again: bool) -> None:
    desk = Desk()
    dead = await desk.dead_letter()
    if sent_again:
        await desk.repair.retry(dead.event_id, **WHO)
    desk.world.clock.advance(LONG_AFTER)

    expected = State.RESUBMITTED if sent_again else State.DEAD_LETTERED
    assert (await shown(desk, dead.event_id)).state is expected


async def test_a_message_that_is_put_back_by_hand_and_ends_well_is_completed_not_resolved() -> None:
    desk = Desk()
    dead = await desk.dead_letter()
    for _ in range(RETURNS):  # until the broker gives it up
        with pytest.raises(DeadLettered):
            await desk.world.worker.handle(to_envelope(dead))
    await desk.world.worker.handle(to_envelope(dead))
    await desk.world.ledger.close()
    desk.world.clock.advance(LONG_AFTER)
    assert (await shown(desk, dead.event_id)).state is State.COMPLETED


async def test_what_failed_anew_after_it_was_resolved_is_a_dead_letter() -> None:
    """Its repetition of long ago makes up for nothing that happened since."""
    desk = Desk()
    original = await desk.dead_letter()
    await desk.repair.retry(original.event_id, **WHO)
    await desk.work()
    record = await desk.world.ledger.record(original.session_id)
    await record.write(lambda memory: memory.bury(original.event_id, DeadLetter("erp-rejected")))
    desk.world.ledger.status.put(
        rows.ended(original, State.DEAD_LETTERED, now=desk.world.clock.now(), steps=(), reason="erp-rejected")
    )
    await desk.world.ledger.close()
    desk.world.clock.advance(LONG_AFTER)

    assert (await shown(desk, original.event_id)).state is State.DEAD_LETTERED
