"""The audit on Azurite: what was done is found again by its month, its event, who did it, and its bulk operation."""

import uuid

import pytest

from integration.clock import SystemClock
from integration.ledger import Ledger, keys
from integration.ledger.audit_log import LISTED, AuditLog, who_partition
from integration.operations.audit import Audit, Subject
from tests.builders import event

CLOCK = SystemClock()
MONTH = keys.month_at(CLOCK.now())


@pytest.fixture
def log(ledger: Ledger) -> AuditLog:
    return AuditLog(ledger, CLOCK)


async def test_entries_are_found_each_way_newest_first(ledger: Ledger, log: AuditLog) -> None:
    """Whatever is in a name: keys of tables do not take every character."""
    audit, one, other, anna = Audit(ledger, CLOCK), event().event_id, event().event_id, f"anna/{uuid.uuid4()}"
    bulk = uuid.uuid4().hex
    for what, event_id in (("retry", one), ("discard", other), ("force", one)):
        async with audit.action(what, Subject(event_id, count=1, bulk_id=bulk), by=anna, why="it's mended / äöü"):
            pass

    assert [(it["what"], it["who"], it["why"], it["outcome"], it["count"]) for it in await log.about_event(one)] == [
        (what, anna, "it's mended / äöü", "done", 1) for what in ("force", "retry")
    ]
    for partition in ("all", who_partition(anna), f"bulk.{bulk}"):
        entries = (await log.page(MONTH, partition)).entries
        assert [it["what"] for it in entries if it.get("who") == anna] == ["force", "discard", "retry"]
    assert (await log.page("200001")).entries == []
    assert await log.about_event(event().event_id) == []


async def test_an_entry_that_was_never_ended_is_found_each_way(log: AuditLog) -> None:
    """Those of a process that died are the ones that somebody looks for."""
    event_id, bob = event().event_id, f"bob {uuid.uuid4()}"
    await log.start("retry", who=bob, why="x", about={"eventId": event_id})
    for found in (await log.about_event(event_id), (await log.page(MONTH, who_partition(bob))).entries):
        (entry,) = found
        assert (entry["what"], "outcome" in entry) == ("retry", False)


@pytest.mark.parametrize("open_ones", [0, 1, 2])
async def test_long_lists_are_read_page_by_page(log: AuditLog, open_ones: int) -> None:
    """None is missing and none comes twice, wherever pages end; each has both of its rows."""
    carol = f"carol {uuid.uuid4()}"
    for number in range(LISTED + 30):
        opened = await log.start("retry", who=carol, why=str(number), about={})
        if number % 3 >= open_ones:
            await log.end(opened, "done")
    entries, following = [], None
    while True:
        page = await log.page(MONTH, who_partition(carol), following=following)
        entries += page.entries
        following = page.following
        if following is None:
            break
    assert [it["why"] for it in entries] == [str(number) for number in reversed(range(LISTED + 30))]
    assert all(("outcome" in it) == (int(str(it["why"])) % 3 >= open_ones) for it in entries)
