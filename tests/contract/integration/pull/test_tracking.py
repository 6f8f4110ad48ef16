"""Change tracking over the Web API: nothing that has changed stays unseen, and nothing is brought twice."""

import asyncio
from datetime import datetime, timedelta

import pytest

from integration.dataverse.changes import OFF
from integration.errors import Conflict, Outage, Permanent, Transient
from integration.protection.shared_state import Document
from integration.pull.tables import PulledTable
from tests.contract.integration.pull.support import Killed, Pulling, ids


async def test_the_first_run_queues_nothing_and_the_next_one_what_has_changed_since(pulling: Pulling) -> None:
    """What was there before is loaded by other means; nothing between the two runs is missed."""
    pulling.create()
    assert await pulling.run() == []

    changed = pulling.create()
    (event,) = await pulling.run()
    assert (event.table, event.message, event.record_id) == ("account", "Update", changed)
    assert event.row_version == await pulling.version_of(changed)
    assert (event.caller, event.changed_columns, event.trimmed) == ("dataverse-change-tracking", None, True)
    assert event.cause is not None
    assert "no other event had brought this version" in event.cause
    assert await pulling.run() == []


async def test_what_a_push_has_brought_costs_one_look_at_the_ledger_and_no_event(pulling: Pulling) -> None:
    await pulling.run()
    row_id = pulling.create()
    await pulling.pushed(row_id)
    pulling.ledger.records.calls.clear()

    assert await pulling.run() == []
    assert pulling.ledger.records.calls == ["get"]

    pulling.person.change("accounts", row_id, {"name": "Contoso 2"})
    assert ids(await pulling.run()) == [row_id]


async def test_a_failure_that_the_app_has_shown_in_the_row_is_no_change(pulling: Pulling) -> None:
    """Else the row would fail, be marked, be found changed, and fail again every five minutes."""
    await pulling.run()
    row_id = pulling.create()
    version = await pulling.version_of(row_id)
    await (await pulling.ledger.record(f"account:{row_id}")).write(lambda it: setattr(it, "shown", version))

    assert await pulling.run() == []


async def test_a_deleted_row_is_queued_unless_another_event_has_brought_that(pulling: Pulling) -> None:
    """Also one of which nothing is remembered: its other events may be under way."""
    await pulling.run()
    known, unknown, found = pulling.creates(3)
    await pulling.pushed(known)
    await pulling.found_deleted(found)
    for row_id in (known, unknown, found):
        pulling.person.delete("accounts", row_id)

    events = await pulling.run()
    assert ids(events) == sorted([known, unknown])
    assert {(it.message, it.row_version) for it in events} == {("Delete", None)}
    assert await pulling.run() == []


async def test_a_row_that_was_restored_after_its_deletion_was_brought_is_queued(pulling: Pulling) -> None:
    await pulling.run()
    row_id = pulling.create()
    await pulling.pushed(row_id)
    await pulling.found_deleted(row_id)

    assert ids(await pulling.run()) == [row_id]


async def test_pages_are_read_to_the_end_though_rows_are_deleted_between_them(pulling: Pulling) -> None:
    """One that was read, and one that was not: each deletion is queued behind the change, or in its place."""
    await pulling.run()
    rows, pulling.page = sorted(pulling.creates(7)), 3

    def delete(bookmark: Document) -> None:
        if bookmark["page"]:
            pulling.shared.hook = lambda _: None
            for row_id in (rows[0], rows[6]):
                pulling.person.delete("accounts", row_id)

    pulling.shared.hook = delete
    events = await pulling.run()
    assert ids([it for it in events if it.message == "Update"]) == rows[:6]
    assert ids([it for it in events if it.message == "Delete"]) == [rows[0], rows[6]]
    for row_id in (rows[0], rows[6]):
        await pulling.found_deleted(row_id)
    assert await pulling.run() == []


async def test_killed_after_a_page_was_queued_it_queues_the_same_events_again(pulling: Pulling) -> None:
    """Nothing is lost, and a repetition is the same event, which the worker knows."""
    await pulling.run()
    rows, pulling.page = sorted(pulling.creates(5)), 2

    def kill(bookmark: Document) -> None:
        if len(pulling.queue.envelopes) == 4 and bookmark["page"]:
            raise Killed

    pulling.shared.hook = kill
    with pytest.raises(Killed):
        await pulling.run()
    pulling.shared.hook = lambda _: None
    before = [it.event_id for it in pulling.queue.events]
    again = [it.event_id for it in await pulling.run()]

    assert ids(pulling.queue.events) == sorted([*rows, *rows[2:4]])
    assert before[2:] == again[:2]


async def test_a_broker_that_is_away_loses_nothing(pulling: Pulling) -> None:
    await pulling.run()
    row_id = pulling.create()
    pulling.queue.fails = Transient("away", reason="broker-unavailable")
    with pytest.raises(Transient):
        await pulling.run()

    pulling.queue.fails = None
    assert ids(await pulling.run()) == [row_id]


async def test_an_expired_link_leads_to_a_comparison_of_all_rows(pulling: Pulling) -> None:
    """Of deleted rows the ledger knows, as Dataverse does not list them any more."""
    gone = pulling.create()
    await pulling.pushed(gone)
    await pulling.run()
    brought, missed = pulling.creates(2)
    await pulling.pushed(brought)
    pulling.person.delete("accounts", gone)
    pulling.system.control("POST", "expire-delta-links")

    events = await pulling.run()
    assert ids([it for it in events if it.message == "Delete"]) == [gone]
    changed = ids([it for it in events if it.message == "Update"])
    assert missed in changed
    assert brought not in changed
    assert all("had expired" in (it.cause or "") for it in events)
    later = pulling.create()
    assert ids(await pulling.run()) == [later]


@pytest.mark.parametrize("year", [2020, 2099])
async def test_after_an_expired_link_only_rows_that_were_changed_since_are_looked_up(
    pulling: Pulling, year: int
) -> None:
    """Whatever the clock of the app says: the times are those of Dataverse, with an hour before the last change."""
    row_id = pulling.create()
    await pulling.pushed(row_id)
    pulling.clock.time = pulling.clock.time.replace(year=year)
    await pulling.run()
    bookmark, etag = await pulling.shared.read("pull.account")
    assert bookmark is not None
    newest = (await pulling.dataverse.retrieve("accounts", row_id, select=["modifiedon"])).values["modifiedon"]
    assert bookmark["newest"] == newest
    in_two_hours = (datetime.fromisoformat(newest) + timedelta(hours=2)).isoformat()
    await pulling.shared.write("pull.account", {**bookmark, "newest": in_two_hours}, etag)
    missed = pulling.create()
    pulling.system.control("POST", "expire-delta-links")
    pulling.ledger.records.calls.clear()

    assert await pulling.run() == []
    assert "get" not in pulling.ledger.records.calls
    pulling.person.change("accounts", missed, {"name": "Contoso 2"})
    assert ids(await pulling.run()) == [missed]


async def test_a_table_without_change_tracking_says_what_to_set(pulling: Pulling) -> None:
    pulling.table = PulledTable("task", "tasks", "activityid", "Update", "Delete")
    with pytest.raises(Permanent, match=r"run\.py dataverse apply") as raised:
        await pulling.run()
    assert raised.value.reason == OFF


async def test_a_page_that_takes_longer_than_a_run_is_finished_by_the_next_ones(pulling: Pulling) -> None:
    """Live traffic comes first: 5 events a second at the budget of 6,000 requests, and a run ends after its time."""
    await pulling.run()
    rows = sorted(pulling.creates(12))
    first = await pulling.run(seconds=1.5)
    assert len(first) == 5
    for event in first:
        await pulling.pushed(str(event.record_id))

    rest = await pulling.run(seconds=10)
    assert ids([*first, *rest]) == rows


async def test_nothing_is_queued_while_the_budget_is_used_up(pulling: Pulling) -> None:
    await pulling.run()
    row_id = pulling.create()
    pulling.spent.requests = 4_900
    assert await pulling.run(seconds=30) == []

    pulling.spent.requests = 4_000
    assert ids(await pulling.run(seconds=30)) == [row_id]


async def test_two_instances_at_once_do_no_harm(pulling: Pulling) -> None:
    """Whoever comes second finds the bookmark changed, and stops."""
    await pulling.run()
    row_id = pulling.create()
    found = await asyncio.gather(pulling.run(), pulling.run(), return_exceptions=True)

    assert any(isinstance(it, Conflict) for it in found)
    assert {str(it.record_id) for it in pulling.queue.events} == {row_id}
    assert len({it.event_id for it in pulling.queue.events}) == 1


async def test_a_table_that_fails_does_not_keep_the_next_one_from_its_turn(
    pulling: Pulling, caplog: pytest.LogCaptureFixture
) -> None:
    changes = pulling.changes
    changes._tables = [PulledTable("task", "tasks", "activityid", "Update", ""), pulling.table]
    await changes.run()

    assert [record.getMessage().count("pull-failed") for record in caplog.records].count(1) == 1
    assert (await pulling.shared.read("pull.account"))[0]


async def test_dataverse_that_is_away_is_asked_again_by_the_next_run(pulling: Pulling) -> None:
    await pulling.run()
    row_id = pulling.create()
    pulling.system.fault("GET /api/data/v9.2/accounts*", status=503, times=1)
    with pytest.raises(Outage):
        await pulling.run()
    assert ids(await pulling.run()) == [row_id]
