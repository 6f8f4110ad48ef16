"""Reconciliation: what no event has brought is found with one look at the ledger for a row, and healed by an event."""

import random
from collections import Counter

import pytest

from integration.errors import Outage, Rejected
from integration.exports.changes import Change
from integration.ledger import DeadLetter
from integration.pull.comparing import Difference, Kind
from integration.pull.window import Window
from tests.contract.integration.pull.reconcile_kit import LONG_AGO, Reconciling
from tests.contract.integration.pull.support import Pulling


@pytest.fixture
async def it(pulling: Pulling) -> Reconciling:
    """The accounts of other tests count as brought: the rows of a stand-in are there for the whole session."""
    reconciling = Reconciling(pulling, rows=25)
    _, found = await reconciling.all_pages()
    for difference in found:
        pulling.person.delete("accounts", difference.record_id)
    return reconciling


def kinds(found: list[Difference]) -> dict[str, Kind]:
    """How each row differs."""
    return {difference.record_id: difference.kind for difference in found}


async def test_events_that_were_dropped_at_random_are_found_and_healed_with_one_look_for_a_row(it: Reconciling) -> None:
    """All of them, and no others; after the events that they get, nothing is different."""
    chance = random.Random(7)  # noqa: S311 -- the same rows in each run
    rows = it.pulling.creates(60)
    dropped = set(chance.sample(rows, 20))
    for row_id in rows:
        if row_id not in dropped:
            await it.bring(row_id)
    it.pulling.ledger.records.calls.clear()

    compared, found = await it.all_pages()
    assert kinds(found) == dict.fromkeys(dropped, Kind.NEVER_ACCEPTED)
    assert compared >= 60
    assert Counter(it.pulling.ledger.records.calls) == {"get": compared}
    assert all("erp-customer" in difference.detail for difference in found)
    assert it.pulling.queue.envelopes == []

    puts = it.books.puts
    _, healed = await it.all_pages(heal=True)
    assert {difference.record_id: difference.event_id for difference in healed} == {
        str(event.record_id): event.event_id for event in it.pulling.queue.events
    }
    assert {event.caller for event in it.pulling.queue.events} == {"dataverse-reconcile"}
    assert all((event.cause or "").startswith("reconciled, never-accepted") for event in it.pulling.queue.events)
    assert set(await it.handle_queued()) == {"completed"}
    assert it.books.puts == puts + 20
    assert (await it.all_pages())[1] == []


async def test_a_change_of_a_column_that_no_flow_reads_is_no_difference(it: Reconciling) -> None:
    """Though no event has brought that version of the row, and none has to."""
    row_id = it.pulling.create()
    await it.bring(row_id)
    it.pulling.person.change("accounts", row_id, {"description": "seen at the fair"})
    assert row_id not in kinds((await it.all_pages())[1])

    it.pulling.person.change("accounts", row_id, {"name": "Contoso 2"})
    assert kinds((await it.all_pages())[1])[row_id] is Kind.NEVER_ACCEPTED


async def test_what_waits_is_dead_lettered_or_was_discarded_is_shown_and_left_alone(it: Reconciling) -> None:
    """Support has it; a change that was made after a dead letter is healed all the same."""
    waits, dead, mended = it.pulling.creates(3)
    await (await it.pulling.ledger.record(f"account:{waits}")).write(lambda memory: setattr(memory, "waiting", "e1"))
    later, earlier = "2099-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"
    for row_id, at in ((dead, later), (mended, earlier)):
        record = await it.pulling.ledger.record(f"account:{row_id}")
        await record.write(lambda memory, at=at: memory.bury("e2", DeadLetter("erp-rejected", "no", at)))  # type: ignore[misc] # mypy #15459

    _, found = await it.all_pages(heal=True)
    assert kinds(found) == {waits: Kind.WAITING, dead: Kind.DEAD_LETTERED, mended: Kind.NEVER_ACCEPTED}
    assert [event.record_id for event in it.pulling.queue.events] == [mended]


async def test_what_another_system_has_lost_is_found_by_asking_it_and_brought_again(it: Reconciling) -> None:
    """One call for each row; a row of which the system has nothing to say is not healed."""
    kept, lost, older = it.pulling.creates(3)
    for row_id in (kept, lost, older):
        await it.bring(row_id)
    del it.books.customers[lost]
    it.books.customers[older] = it.books.customers[older].model_copy(update={"source_version": 1})
    assert (await it.all_pages())[1] == []

    it.books.gets = 0
    _, found = await it.all_pages(systems=True, heal=True)
    assert {lost, older} <= kinds(found).keys()
    assert kept not in kinds(found)
    assert kinds(found)[lost] is Kind.DIFFERENT
    assert set(await it.handle_queued()) == {"completed"}
    assert lost in it.books.customers
    assert it.books.customers[older].source_version > 1
    assert (await it.all_pages(systems=True))[1] == []


async def test_a_system_that_does_not_answer_is_no_reason_to_send_anything(
    it: Reconciling, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_id = it.pulling.create()
    await it.bring(row_id)

    async def away(*_: object, **__: object) -> None:
        raise Outage("away", reason="erp-unreachable", service="erp")

    monkeypatch.setattr(it.books, "get_customer", away)
    _, found = await it.all_pages(systems=True, heal=True)
    assert kinds(found)[row_id] is Kind.UNKNOWN
    assert it.pulling.queue.envelopes == []


async def test_a_result_that_the_row_has_lost_is_written_back_again(it: Reconciling) -> None:
    row_id = it.pulling.create()
    await it.bring(row_id)
    it.pulling.person.change("accounts", row_id, {"new_erpnumber": None})

    _, found = await it.all_pages(heal=True)
    assert kinds(found)[row_id] is Kind.NOT_WRITTEN_BACK
    puts = it.books.puts
    await it.handle_queued()
    assert it.books.puts == puts
    assert row_id not in kinds((await it.all_pages())[1])


async def test_rows_that_were_deleted_without_an_event_are_found_by_the_ledger(it: Reconciling) -> None:
    row_id = it.pulling.create()
    await it.bring(row_id)
    it.pulling.person.delete("accounts", row_id)

    assert (await it.all_pages())[1] == []
    _, found = await it.all_pages(deleted=True, heal=True)
    assert kinds(found) == {row_id: Kind.DELETED}
    assert await it.handle_queued() == ["completed"]
    assert it.books.customers[row_id].status == "blocked"
    assert (await it.all_pages(deleted=True))[1] == []


async def test_a_table_without_a_flow_and_a_page_that_nobody_named_are_refused(it: Reconciling) -> None:
    for wanted, following, status in (
        ("lead", "", 404),
        ("account", "elsewhere:1", 400),
        ("account", "deleted:{", 400),
    ):
        with pytest.raises(Rejected) as refused:
            await it.reconciliation.look(Window(wanted, LONG_AGO, LONG_AGO), following)
        assert refused.value.status == status


async def test_what_there_was_no_time_for_is_said_and_found_again(it: Reconciling) -> None:
    """While live traffic uses the budget of Dataverse, nothing is queued."""
    row_id = it.pulling.create()
    it.pulling.spent.requests = 5_500
    _, found = await it.all_pages(heal=True)
    assert [(difference.record_id, difference.event_id) for difference in found] == [(row_id, "")]
    assert it.pulling.queue.envelopes == []


async def test_of_rows_that_an_export_names_dataverse_is_asked_only_about_those_that_are_not_known(
    it: Reconciling,
) -> None:
    """One look at the ledger for each; the row decides, and not the file, which may be older."""
    known, lost, deleted, older = it.pulling.creates(4)
    for row_id in (known, deleted, older):
        await it.bring(row_id)
    it.pulling.person.delete("accounts", deleted)
    exported = [
        Change(known, await it.pulling.version_of(known)),
        Change(lost, await it.pulling.version_of(lost)),
        Change(deleted, deleted=True),
        Change(older, 1),
    ]
    it.pulling.ledger.records.calls.clear()
    it.pulling.system.control("DELETE", "requests")
    page = await it.reconciliation.look_at("account", exported)
    assert page.compared == 4
    assert kinds(list(page.differences)) == {lost: Kind.NEVER_ACCEPTED, deleted: Kind.DELETED}
    (request,) = [one for one in it.pulling.system.control("GET", "requests").json() if "accounts" in one["path"]]
    assert known not in request["path"]
    assert older not in request["path"]
    assert Counter(it.pulling.ledger.records.calls)["get"] == 5, "one for each, and one for the row that is compared"


async def test_what_an_export_shows_is_healed_as_what_dataverse_shows(it: Reconciling) -> None:
    lost, never = it.pulling.creates(2)
    it.pulling.person.delete("accounts", never)
    exported = [Change(lost, await it.pulling.version_of(lost)), Change(never, deleted=True)]
    page = await it.reconciliation.heal_at("account", exported, by="anna", why="the lake says so")
    assert [(one.record_id, bool(one.event_id)) for one in page.differences] == [(lost, True)], "nobody knows the other"
    assert await it.handle_queued() == ["completed"]
    assert (await it.reconciliation.look_at("account", exported)).differences == []


async def test_an_unknown_row_of_an_export_that_was_deleted_since_is_no_difference(it: Reconciling) -> None:
    gone = it.pulling.create()
    version = await it.pulling.version_of(gone)
    it.pulling.person.delete("accounts", gone)
    assert (await it.reconciliation.look_at("account", [Change(gone, version)])).differences == []
