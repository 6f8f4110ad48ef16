"""An event that waits is put off until a given time: to the moment, on all instances, without ageing."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from integration.errors import Outage, Rejected, Transient
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import State, keys
from integration.protection import Postponements
from integration.protection.postponements import MOST
from tests.builders import event
from tests.unit.integration.operations.parts import WHO, Desk

AWAY = Outage("away", reason="erp-unreachable", service="erp")


async def waiting(desk: Desk) -> tuple[IntegrationEvent, IntegrationEvent, datetime]:
    """An event that waits, its copy, and when that is due."""
    about = await desk.dead_letter(AWAY)
    (copy, due) = desk.world.queue.scheduled.pop()
    await desk.world.ledger.close()
    return about, copy, due


async def test_it_is_tried_again_at_that_time_and_not_before() -> None:
    desk = Desk()
    world = desk.world
    about, copy, due = await waiting(desk)
    until = world.clock.now() + timedelta(hours=30)
    assert await desk.postpone.postpone(about.event_id, until, **WHO) == until

    world.clock.advance((due - world.clock.now()).total_seconds())
    await world.worker.handle(to_envelope(copy))
    assert world.handler.keys == []
    ((copy, due),) = world.queue.scheduled
    assert (due, copy.first_failed_at) == (until, None)
    world.clock.advance((due - world.clock.now()).total_seconds())
    await world.worker.handle(to_envelope(copy))
    assert len(world.handler.keys) == 1
    assert await world.status(about) is State.COMPLETED
    assert desk.table(keys.PROBLEMS).entities == {}


async def test_its_status_and_the_list_say_until_when_and_by_whom() -> None:
    desk = Desk()
    about, copy, due = await waiting(desk)
    until = desk.world.clock.now() + timedelta(hours=30)
    await desk.postpone.postpone(about.event_id, until, **WHO)
    for _ in range(2):  # at once, and when its copy has come and gone
        status = await desk.world.ledger.read(about.event_id)
        assert status is not None
        assert (status.state, status.reason, status.next_attempt) == (State.WAITING, "postponed", until)
        assert status.detail == "support has postponed it until 2026-11-22T02:00:00.000Z"
        assert status.note == "support: the ERP was mended"
        (problem,) = desk.table(keys.PROBLEMS).entities.values()
        assert (problem["reason"], problem["nextAttempt"]) == ("postponed", "2026-11-22T02:00:00.000Z")
        desk.world.clock.advance((due - desk.world.clock.now()).total_seconds())
        await desk.world.worker.handle(to_envelope(copy))
        await desk.world.ledger.close()
    assert [(it["what"], it["outcome"]) for it in desk.audited] == [("postpone", "until 2026-11-22T02:00:00.000Z")]


async def test_it_can_be_put_off_further_and_sent_again_at_once() -> None:
    desk = Desk()
    about, copy, due = await waiting(desk)
    for hours in (10, 20):
        await desk.postpone.postpone(about.event_id, desk.world.clock.now() + timedelta(hours=hours), **WHO)
    await desk.repair.retry(about.event_id, **WHO)
    await desk.work()
    assert len(desk.world.handler.keys) == 1
    desk.world.clock.advance((due - desk.world.clock.now()).total_seconds())
    await desk.world.worker.handle(to_envelope(copy))
    assert len(desk.world.handler.keys) == 1
    resolved = await desk.world.ledger.read(about.event_id)
    assert resolved is not None
    assert resolved.state is State.RESOLVED


async def test_a_later_change_of_the_record_is_not_put_off_with_it() -> None:
    """The row is brought through by its own event; the postponed one finds nothing left to do."""
    desk = Desk()
    world = desk.world
    about, copy, _ = await waiting(desk)
    until = world.clock.now() + timedelta(hours=1)
    await desk.postpone.postpone(about.event_id, until, **WHO)
    later = event()
    world.put_row(str(about.record_id), "two", 2)
    await world.worker.handle(to_envelope(dataclasses.replace(later, record_id=about.record_id)))
    assert len(world.handler.keys) == 1
    world.clock.advance(3600)
    await world.worker.handle(to_envelope(copy))
    assert len(world.handler.keys) == 1
    assert await world.status(about) is State.SUPERSEDED


@pytest.mark.parametrize(
    ("wait", "status", "says"),
    [
        (timedelta(seconds=-1), 400, "within the next 30 days"),
        (timedelta(days=31), 400, "within the next 30 days"),
        (timedelta(seconds=1), 409, "send it again"),
    ],
)
async def test_a_time_that_would_not_put_it_off_is_refused(wait: timedelta, status: int, says: str) -> None:
    desk = Desk()
    about, *_ = await waiting(desk)
    with pytest.raises(Rejected, match=says) as refused:
        await desk.postpone.postpone(about.event_id, desk.world.clock.now() + wait, **WHO)
    assert refused.value.status == status


async def test_only_what_waits_can_be_put_off() -> None:
    desk = Desk()
    until = desk.world.clock.now() + timedelta(hours=1)
    about = await desk.dead_letter()
    with pytest.raises(Rejected, match="dead-lettered"):
        await desk.postpone.postpone(about.event_id, until, **WHO)
    with pytest.raises(Rejected, match="no event"):
        await desk.postpone.postpone(event().event_id, until, **WHO)


async def test_what_could_not_be_written_is_asked_for_again() -> None:
    desk = Desk()
    about, *_ = await waiting(desk)
    until = desk.world.clock.now() + timedelta(hours=1)
    for name in (keys.SYSTEMS, keys.PROBLEMS, "events202611"):
        desk.table(name).away = True
        with pytest.raises(Transient):
            await desk.postpone.postpone(about.event_id, until, **WHO)
        desk.table(name).away = False
    await desk.postpone.postpone(about.event_id, until, **WHO)
    status = await desk.world.ledger.read(about.event_id)
    assert status is not None
    assert status.next_attempt == until


async def test_there_is_room_for_two_hundred_and_those_that_are_over_make_room() -> None:
    desk = Desk()
    one: Postponements = desk.world.postponements
    soon, late = (desk.world.clock.now() + timedelta(hours=hours) for hours in (1, 2))
    for number in range(MOST):
        await one.postpone(f"e-{number}", soon if number else late, by="anna")
    with pytest.raises(Rejected, match="pause their table"):
        await one.postpone("e-more", soon, by="anna")
    await one.postpone("e-5", late, by="anna")
    desk.world.clock.advance(3600)
    await one.postpone("e-more", late, by="anna")
    (document,) = (it["state"] for it in desk.table(keys.SYSTEMS).entities.values())
    assert str(document).count("until") == 3
