"""The list of events that wait or are dead-lettered, on Azurite."""

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from integration.clock import iso
from integration.events import IntegrationEvent
from integration.ledger import Ledger, State, keys, rows
from integration.ledger.problems import Problems
from integration.tables import Entity
from tests.builders import event

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def problems(ledger: Ledger) -> Problems:
    return Problems(ledger)


async def test_a_list_of_problems_is_narrowed_and_oldest_first(ledger: Ledger, problems: Problems) -> None:
    """By reason, system and table; what was cleared is not in it."""
    reason = f"r-{uuid.uuid4().hex}"

    def put(it: IntegrationEvent, since: datetime, **changes: str) -> None:
        row = rows.ended(it, State.DEAD_LETTERED, now=since, steps=(), reason=reason, detail="422", system="erp")
        problem = rows.problem_row(rows.to_status(row), iso(since))
        ledger.status.put_problem({**problem, **changes})

    older, newer, most = event(minute="202611201804"), event(minute="202611201805"), 10
    put(newer, NOW)
    put(older, NOW.replace(hour=18))
    put(event(), NOW, reason="another")
    await ledger.status.drain()
    found = await problems.first("dead-lettered", most, reason=reason)
    assert [it.event_id for it in found] == [older.event_id, newer.event_id]
    assert (found[0].since, found[0].system, found[0].detail) == (NOW.replace(hour=18), "erp", "422")
    assert len(await problems.first("dead-lettered", 1, reason=reason)) == 1
    assert await problems.first("dead-lettered", most, reason=reason, system="credit") == []
    assert await problems.first("waiting", most, reason=reason) == []
    minute = older.event_id[:12]
    assert len(await problems.first("dead-lettered", most, reason=reason, first=minute, last=f"{minute}~")) == 1
    assert await problems.first("dead-lettered", most, reason=reason, first="202611201806") == []
    assert await problems.first("dead-lettered", most, reason=reason, last=minute) == []
    (found_one,) = await problems.first("dead-lettered", most, reason=reason, recordId=str(newer.record_id))
    assert found_one.event_id == newer.event_id
    ledger.status.clear_problem("dead-lettered", older.event_id)
    await ledger.status.drain()
    assert [it.event_id for it in await problems.first("dead-lettered", most, reason=reason)] == [newer.event_id]


async def test_a_system_that_was_found_behind_is_a_problem(ledger: Ledger, problems: Problems) -> None:
    it = dataclasses.replace(event(), table=f"t{uuid.uuid4().hex[:8]}")
    ledger.status.put_problem(rows.behind_row(it, "erp", NOW))
    await ledger.status.drain()
    (found,) = await problems.first("system-behind", 10, table=it.table)
    assert (found.event_id, found.reason, found.since) == (it.event_id, "erp-behind", NOW)


async def many(ledger: Ledger, count: int) -> tuple[str, list[str]]:
    """So many dead letters of one reason, an hour apart; the reason, and their ids in order."""
    reason = f"r-{uuid.uuid4().hex}"
    hours = (NOW + timedelta(hours=number) for number in range(count))
    made = [f"{hour:%Y%m%d%H}00-{uuid.uuid4().hex}" for hour in hours]
    rows_of = []
    for event_id in made:
        partition, row = keys.problem_keys("dead-lettered", event_id)
        rows_of.append({"PartitionKey": partition, "RowKey": row, "reason": reason, "since": iso(NOW)})
    await ledger.table(keys.PROBLEMS).merge_all(rows_of)
    return reason, sorted(made)


async def test_a_long_list_comes_page_by_page_oldest_operation_first(ledger: Ledger, problems: Problems) -> None:
    """None is missing, none comes twice, and no page has more than was asked for."""
    reason, made = await many(ledger, 700)
    found, after, sizes = list[str](), "", list[int]()
    while True:
        page = await problems.page("dead-lettered", most=100, after=after, reason=reason)
        found += [it.event_id for it in page.problems]
        sizes.append(len(page.problems))
        if page.following is None:
            break
        after = page.following
    assert found == made
    assert max(sizes) <= 100
    assert [it.event_id for it in await problems.first("dead-lettered", 250, reason=reason)] == made[:250]


async def test_all_of_a_state_are_read_whatever_their_number(ledger: Ledger, problems: Problems) -> None:
    """With one query where they are few, and in quarters side by side where they are more than a page has."""
    for count in (3, 1_200):
        reason, made = await many(ledger, count)
        found: list[Entity] = []
        await problems.scan("dead-lettered", found.extend, select=("RowKey", "reason"))
        assert sorted(str(it["RowKey"]) for it in found if it["reason"] == reason) == made
