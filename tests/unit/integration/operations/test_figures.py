"""The figures of the last day: counted once, kept in one entity, and read with one call."""

import uuid
from datetime import timedelta

import pytest

from integration.ledger import State, keys
from integration.operations import figures
from integration.operations.causes import CauseQuery
from integration.operations.figures import Figures
from tests.unit.integration.operations.parts import Desk


def made(desk: Desk) -> Figures:
    ledger, clock = desk.world.ledger, desk.world.clock
    return Figures(ledger, CauseQuery(ledger, clock), clock)


async def came_in(desk: Desk, minute: str, count: int = 1) -> None:
    for _ in range(count):
        event_id = f"{minute}-{uuid.uuid4().hex}"
        partition, row = keys.time_keys(event_id)
        await desk.table(keys.index_table(minute[:6])).insert(
            {"PartitionKey": partition, "RowKey": row, "eventId": event_id}
        )


async def test_each_change_is_counted_once_by_the_minute_of_its_operation() -> None:
    """The clock stands at 20:00; the last two minutes are not counted yet."""
    desk = Desk()
    await came_in(desk, "202611201905", 3)
    await came_in(desk, "202611201957", 2)
    await came_in(desk, "202611201959")
    it = made(desk)
    for _ in range(2):
        await it.take()
    series = await it.series()
    assert (series.last_hour, series.day, series.changes[-7:]) == (2, 5, (3, 0, 0, 0, 0, 2, 0))
    desk.world.clock.advance(180)
    await it.take()
    assert (await it.series()).changes[-2:] == (3, 0)


async def test_what_waits_and_what_is_dead_lettered_is_noted_and_holds_until_the_next_time() -> None:
    desk = Desk()
    await desk.dead_letter()
    it = made(desk)
    await it.take()
    desk.world.clock.advance(1_800)
    assert (await it.series()).dead[-4:] == (1, 1, 1, 1)


async def test_what_is_older_than_a_day_is_forgotten() -> None:
    desk = Desk()
    await came_in(desk, "202611201905")
    it = made(desk)
    await it.take()
    desk.world.clock.advance(timedelta(days=2).total_seconds())
    await it.take()
    series = await it.series()
    assert (series.day, len(series.changes)) == (0, figures.STEPS)


async def test_a_run_after_a_long_pause_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on where it was in the next run."""
    monkeypatch.setattr(figures, "_A_RUN", 2)
    desk = Desk()
    for hour in ("18", "19"):
        await came_in(desk, f"20261120{hour}05", 2)
    it = made(desk)
    await it.take()
    assert (await it.series()).day == 2
    await it.take()
    assert (await it.series()).day == 4


async def test_the_page_reads_one_entity() -> None:
    desk = Desk()
    it = made(desk)
    await it.take()
    table = desk.table(keys.SYSTEMS)
    table.calls.clear()
    await it.series()
    assert table.calls == ["get"]


async def test_tables_that_are_away_are_logged_and_end_nothing() -> None:
    desk = Desk()
    desk.table(keys.SYSTEMS).away = True
    await made(desk).run()


async def test_of_very_many_dead_letters_the_overview_shows_what_was_found_with_the_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reads one entity then, and not the list of problems."""
    monkeypatch.setattr(figures, "MANY", 1)
    desk = Desk()
    for _ in range(2):
        await desk.dead_letter()
    it = made(desk)
    await it.take()
    live = await CauseQuery(desk.world.ledger, desk.world.clock).now()
    desk.table(keys.PROBLEMS).calls.clear()
    assert await it.causes(await it.series()) == live
    assert desk.table(keys.PROBLEMS).calls == []
    assert (await it.causes(await it.series(), State.WAITING.value)).total == 0
    assert desk.table(keys.PROBLEMS).calls == []
    assert (await it.causes(await it.series(), "system-behind")).total == 0
    assert desk.table(keys.PROBLEMS).calls == ["query"]
