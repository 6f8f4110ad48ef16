"""A person pauses a table for all instances, and resumes it."""

import dataclasses
from datetime import timedelta

import pytest

from integration.errors import Rejected
from integration.events import to_envelope
from integration.ledger import State, keys
from integration.operations.tables import TableControl
from integration.worker import DeadLettered
from tests.builders import event
from tests.unit.integration.operations.parts import WHO, Desk


def control_of(desk: Desk) -> TableControl:
    return TableControl(desk.world.pauses, ["account", "opportunity"], desk.audit)


async def test_events_of_a_paused_table_wait_without_ageing_and_go_on() -> None:
    """For longer than an event may fail: nothing is dead-lettered, and nothing outside is asked."""
    desk = Desk()
    world, control, about = desk.world, control_of(desk), event()
    world.put_row(str(about.record_id), "one")
    await control.pause("opportunity", **WHO)
    await world.worker.handle(to_envelope(about))
    for _ in range(200):
        world.clock.advance(3600)
        (copy, _due) = world.queue.scheduled.pop()
        await world.worker.handle(to_envelope(copy))
    assert (world.rows.reads, world.handler.keys, copy.first_failed_at) == (0, [], None)
    await world.ledger.close()
    waiting = await world.ledger.read(about.event_id)
    assert waiting is not None
    assert (waiting.state, waiting.reason) == (State.WAITING, "table-paused")
    assert waiting.detail == "support has paused opportunity: the ERP was mended"
    ((partition, _),) = desk.table(keys.PROBLEMS).entities
    assert partition.startswith("waiting.")

    await control.resume("opportunity", **WHO)
    await world.worker.handle(to_envelope(world.queue.scheduled.pop()[0]))
    assert len(world.handler.keys) == 1
    assert await world.status(about) is State.COMPLETED
    assert desk.table(keys.PROBLEMS).entities == {}


async def test_the_time_in_a_pause_does_not_count_for_an_event_that_had_failed_before() -> None:
    """Its first failure moves on with the clock, so that an hour of failing stays an hour."""
    desk = Desk()
    world = desk.world
    copy = dataclasses.replace(event(), first_failed_at=world.clock.now() - timedelta(hours=1))
    await control_of(desk).pause("opportunity", **WHO)
    for _ in range(20):
        await world.worker.handle(to_envelope(copy))
        (copy, due) = world.queue.scheduled.pop()
        world.clock.advance((due - world.clock.now()).total_seconds())
    assert copy.first_failed_at is not None
    assert world.clock.now() - copy.first_failed_at == timedelta(hours=1)


async def test_a_dead_letter_on_its_way_goes_on_while_its_table_is_paused() -> None:
    """It is over: holding it back would only use up time."""
    desk = Desk()
    about = await desk.dead_letter()
    await control_of(desk).pause("opportunity", **WHO)
    with pytest.raises(DeadLettered):
        await desk.world.worker.handle(to_envelope(about))
    assert desk.world.queue.scheduled == []


async def test_other_tables_go_on() -> None:
    desk = Desk()
    about = event()
    desk.world.put_row(str(about.record_id), "one")
    await control_of(desk).pause("account", **WHO)
    await desk.world.worker.handle(to_envelope(about))
    assert len(desk.world.handler.keys) == 1


async def test_who_pauses_and_resumes_is_written_down() -> None:
    desk = Desk()
    control = control_of(desk)
    pause = await control.pause("account", by="anna", why=" the ERP is moved ")
    assert await control.states() == {"account": pause, "opportunity": None}
    assert (pause.by, pause.why, pause.since) == ("anna", "the ERP is moved", desk.world.clock.now().timestamp())
    await control.resume("account", **WHO)
    assert await control.states() == {"account": None, "opportunity": None}
    assert [(it["what"], it["table"], it["who"], it["outcome"]) for it in desk.audited] == [
        ("pause", "account", "anna", "done"),
        ("resume", "account", "support", "done"),
    ]


async def test_a_table_that_nothing_handles_is_refused_with_the_names_there_are() -> None:
    desk = Desk()
    for action in (control_of(desk).pause, control_of(desk).resume):
        with pytest.raises(Rejected, match="there are account, opportunity") as refused:
            await action("acount", **WHO)
        assert refused.value.status == 404
    assert desk.audited == []
