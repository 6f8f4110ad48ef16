"""Failing events are grouped by reason, system and table, with their number, their times and their trend."""

import json
from datetime import timedelta

from integration.errors import Permanent
from integration.ledger import State
from integration.operations.causes import HOURS, Cause, CauseQuery, Causes
from tests.memory_table import ManualClock
from tests.unit.integration.operations.parts import Desk


def query(desk: Desk) -> CauseQuery:
    return CauseQuery(desk.world.ledger, desk.world.clock)


async def test_events_of_one_reason_are_one_group() -> None:
    desk = Desk()
    first = await desk.dead_letter()
    desk.world.clock.advance(3 * 3600)
    second = await desk.dead_letter()
    await desk.dead_letter(Permanent("empty", reason="row-incomplete"))
    desk.world.clock.advance(3600)
    found = await query(desk).now()
    assert [(it.reason, it.system, it.table, it.count) for it in found.causes] == [
        ("erp-rejected", "erp", "opportunity", 2),
        ("row-incomplete", "", "opportunity", 1),
    ]
    rejected = found.causes[0]
    now = desk.world.clock.now()
    assert (rejected.oldest, rejected.newest) == (now - timedelta(hours=4), now - timedelta(hours=1))
    assert (rejected.example, rejected.trend) == (second.event_id, (0,) * (HOURS - 5) + (1, 0, 0, 1, 0))
    assert (found.total, found.trend[-2], first.event_id != second.event_id) == (3, 2, True)


async def test_what_is_repaired_leaves_its_group() -> None:
    """After five seconds at the latest, and at once in the process that did it."""
    desk = Desk()
    original = await desk.dead_letter()
    causes = query(desk)
    assert (await causes.now()).total == 1
    await desk.repair.discard(original.event_id, by="anna", why="nobody needs it")
    assert (await causes.now()).total == 1
    desk.world.clock.advance(5)
    assert (await causes.now()).total == 0
    await desk.repair.restore(original.event_id, by="anna", why="it is needed")
    causes.forget()
    assert (await causes.now()).total == 1


async def test_several_who_look_at_once_cause_one_reading() -> None:
    desk = Desk()
    causes = query(desk)
    before = len(desk.table("problems").calls)
    for _ in range(3):
        await causes.now(State.WAITING.value)
    assert len(desk.table("problems").calls) == before + 1


def test_what_is_stored_of_them_fits_into_a_column_of_azure_tables() -> None:
    """64 KiB of UTF-16, however many causes there are and whatever their names; none is left out of the sum."""
    now = ManualClock().now()
    cause = Cause("r" * 60, "s" * 40, "t" * 60, 99_999, now, now, (99_999,) * HOURS, "e" * 45, "d" * 300)
    known = Causes((cause,) * 200, now)
    document = json.dumps(known.as_document(), separators=(",", ":"))
    assert len(document) < 32_000
    assert Causes.from_document(json.loads(document)).total == known.total
