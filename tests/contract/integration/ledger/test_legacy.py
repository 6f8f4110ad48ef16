"""The layout of release 0.1, written with Microsoft's SDK as that release did, is read and carried over."""

import hashlib
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.data.tables.aio import TableClient, TableServiceClient

from integration.clock import SystemClock
from integration.flows import opportunity
from integration.ledger import Ledger, Memory, State, keys, rows
from integration.ledger.legacy import OldLayout
from integration.ledger.queries import Queries
from integration.ledger.rebuild import Rebuild
from integration.tables import Account
from integration.worker.effects import fingerprint
from tests.builders import event
from tests.contract.integration.ledger.faults import FaultyTransport

ACCEPTED = datetime(2026, 11, 20, 19, 5, 1, 234567, tzinfo=UTC)
SCORE = {"scoreId": "s-1", "score": 700, "decision": "approved", "scoredOn": "2026-11-20T19:05:00+00:00"}


class OldRelease:
    """Writes what release 0.1 wrote."""

    def __init__(self, events: TableClient, correlations: TableClient, records: TableClient) -> None:
        self._events = events
        self._correlations = correlations
        self._records = records

    async def accept(self, event_id: str, correlation_id: str, **columns: Any) -> None:
        """An event as its intake wrote it down, and as its worker went on."""
        minute, _, digest = event_id.partition("-")
        told = {
            "table": "opportunity",
            "recordId": "r-1",
            "message": "Update",
            "organisation": "org",
            "correlationId": correlation_id,
            "acceptedTime": ACCEPTED,
        }
        await self._events.upsert_entity({"PartitionKey": minute, "RowKey": digest, **told, **columns})
        hashed = hashlib.sha256(correlation_id.encode()).hexdigest()[:32]
        key = {"PartitionKey": "correlations", "RowKey": f"{hashed}.{event_id}"}
        await self._correlations.upsert_entity({**key, "eventId": event_id})

    async def do(self, event_id: str, effect: str, basis: str, answer: dict[str, Any], state: str = "done") -> None:
        """An effect of an event."""
        minute, _, digest = event_id.partition("-")
        row = {"PartitionKey": minute, "RowKey": f"{digest}.{effect}", "state": state, "at": ACCEPTED, "detail": "d"}
        await self._events.upsert_entity({**row, "basis": basis, "answer": json.dumps(answer)})

    async def note(self, session_id: str, **columns: Any) -> None:
        """What a record was last brought to."""
        await self._records.upsert_entity({"PartitionKey": session_id, "RowKey": "state", **columns})

    async def has_note(self, session_id: str) -> bool:
        where = f"PartitionKey eq '{session_id}' and RowKey eq 'state'"
        return bool([it async for it in self._records.query_entities(where)])


@pytest.fixture
async def old(storage: str) -> AsyncIterator[OldRelease]:
    """The old release, on tables that it has made; they are deleted afterwards, as those of all tests here."""
    async with TableServiceClient.from_connection_string(storage) as service:
        names = ("events", "correlations", "records")
        yield OldRelease(*[await service.create_table_if_not_exists(name) for name in names])
        for name in names[:2]:
            await service.delete_table(name)


@pytest.fixture
async def ledger(account: Account, transport: FaultyTransport) -> AsyncIterator[Ledger]:
    ledger = Ledger(account, transport, SystemClock(), old_layout=OldLayout(account, transport))
    yield ledger
    await ledger.close()


@pytest.fixture
def record() -> str:
    return f"opportunity:{uuid.uuid4()}"


def new_id(minute: str = "202611201905") -> str:
    return f"{minute}-{uuid.uuid4().hex}"


async def test_a_note_becomes_what_is_remembered(ledger: Ledger, old: OldRelease, record: str) -> None:
    """Effects that are done are not done again: their fingerprints are the same."""
    by = new_id()
    await old.note(record, basis_erp_order="b1", basis_credit_score="b2", rowVersion="123456", eventId=by, failed=False)
    memory = (await ledger.record(record)).memory
    assert memory.effect("erp-order").done == "b1"
    assert memory.effect("credit-score").done == "b2"
    assert (memory.row_version, memory.acted_by) == (123456, by)
    assert memory.acted_after(datetime(2026, 11, 20, 19, 4, 59, tzinfo=UTC))
    assert not memory.acted_after(datetime(2026, 11, 20, 19, 5, tzinfo=UTC))


async def test_what_was_started_has_an_unknown_outcome(ledger: Ledger, old: OldRelease, record: str) -> None:
    """It is due whatever the row says, and its order counts as one that may exist."""
    await old.note(record, basis_erp_order="begun")
    effect = (await ledger.record(record)).memory.effect("erp-order")
    assert effect.done is None
    assert effect.started is not None
    assert effect.number == 1


async def test_what_was_charged_is_not_charged_again(ledger: Ledger, old: OldRelease, record: str) -> None:
    """Under the fingerprint of what was asked, also where its event did not come to its end."""
    asked = fingerprint("1000.00", "EUR", "c-1")
    await old.note(record, paid=json.dumps({asked: SCORE}), basis_credit_score="before")
    effect = (await ledger.record(record)).memory.effect("credit-score")
    assert (effect.done, effect.answer, effect.answered) == (asked, SCORE, asked)


async def test_an_order_on_hold_is_on_hold(ledger: Ledger, old: OldRelease, record: str) -> None:
    """The word became a fingerprint as all others are."""
    await old.note(record, basis_erp_order="on-hold")
    assert (await ledger.record(record)).memory.effect("erp-order").done == fingerprint(opportunity.ON_HOLD)


async def test_a_customer_is_known_with_its_number_or_sent_again(ledger: Ledger, old: OldRelease, record: str) -> None:
    """The number stands in the row of the effect of the event that acted last, if it did it."""
    by, other = new_id(), f"account:{uuid.uuid4()}"
    await old.accept(by, "c")
    await old.do(by, "erp-customer", "b1", {"customerNumber": "C-1"})
    await old.note(record, basis_erp_customer="b1", eventId=by)
    await old.note(other, basis_erp_customer="b1", eventId=new_id())
    known = (await ledger.record(record)).memory.effect("erp-customer")
    assert (known.done, known.answer) == ("b1", {"customerNumber": "C-1"})
    assert (await ledger.record(other)).memory.effect("erp-customer").done is None


async def test_a_score_that_a_failed_event_may_have_missed_is_due(ledger: Ledger, old: OldRelease, record: str) -> None:
    """The note says that an event was given up, not which."""
    await old.note(record, failed=True)
    effect = (await ledger.record(record)).memory.effect("credit-score")
    assert (effect.number, effect.done) == (1, None)


async def test_the_first_write_carries_the_note_over(ledger: Ledger, old: OldRelease, record: str) -> None:
    """From then on the new entity counts; two invocations at once are fenced as ever."""
    await old.note(record, basis_erp_order="b1", rowVersion="7", eventId=new_id())
    first = await ledger.record(record)
    await first.write(lambda memory: memory.end("e1", State.COMPLETED))
    await old.note(record, basis_erp_order="later")
    memory = (await ledger.record(record)).memory
    assert (memory.effect("erp-order").done, list(memory.recent)) == ("b1", ["e1"])


async def test_the_status_of_an_old_event_is_read(ledger: Ledger, old: OldRelease) -> None:
    """With its effects, its history and its publication, by id and by correlation id."""
    event_id, shared = new_id(), uuid.uuid4().hex
    history = json.dumps(
        [{"attempt": 1, "at": "2026-11-20T19:05:02+00:00", "reason": "erp-unavailable", "detail": "503"}]
    )
    await old.accept(
        event_id, shared, state="completed", attempts=2, changedTime=ACCEPTED, publishedTime=ACCEPTED, history=history
    )
    await old.do(event_id, "credit-score", "b", SCORE)
    found = await ledger.read(event_id)
    assert found is not None
    assert (found.state, found.attempts, found.table, found.record_id) == (State.COMPLETED, 2, "opportunity", "r-1")
    assert (found.accepted_time, found.published_time) == (ACCEPTED, ACCEPTED)
    assert {step.name for step in found.steps} == {"credit-score", "publish"}
    assert [past["reason"] for past in found.history] == ["erp-unavailable"]
    newer = event(correlation_id=shared)
    await ledger.accept(newer, urgent=True)
    assert {it.event_id for it in await Queries(ledger).by_correlation(shared)} == {event_id, newer.event_id}


async def test_an_old_event_that_was_made_up_for_says_so(ledger: Ledger, old: OldRelease) -> None:
    """Who and what comes from the old row, what became of it from the new one."""
    event_id = new_id()
    await old.accept(event_id, "c", state="dead-lettered", attempts=3, reason="erp-rejected")
    ledger.status.put(rows.resolved(event_id, by="another", now=ACCEPTED))
    await ledger.status.drain()
    found = await ledger.read(event_id)
    assert found is not None
    assert (found.state, found.resolved_by, found.record_id) == (State.RESOLVED, "another", "r-1")
    assert found.reason == "erp-rejected"


@pytest.mark.parametrize("event_id", ["", "x", "it's-quoted'", "202611201905-" + "0a" * 16, "202611201905-" + "zz'"])
async def test_what_the_old_layout_does_not_have_is_none(ledger: Ledger, old: OldRelease, event_id: str) -> None:
    assert await OldLayout(ledger._account, ledger._transport).read(event_id) is None


async def test_notes_that_are_left_are_listed_and_forgotten(ledger: Ledger, old: OldRelease, record: str) -> None:
    """The new entities, which lie in the same table, are none of them."""
    await old.note(record, basis_erp_order="b1")
    await (await ledger.record(f"account:{uuid.uuid4()}")).write()
    assert ledger.old_layout is not None
    notes = {session_id: memory async for session_id, memory in ledger.old_layout.notes()}
    assert notes[record].effect("erp-order").done == "b1"
    assert all(":" in session_id for session_id in notes)
    await ledger.old_layout.forget(record)
    assert not await old.has_note(record)


async def test_rebuild_carries_over_all_notes(ledger: Ledger, old: OldRelease, record: str) -> None:
    """Of records that nobody has worked on since; what is there already is newer. Then nothing of it is needed."""
    known = f"account:{uuid.uuid4()}"
    await old.note(record, basis_erp_order="b1", rowVersion="7", eventId=new_id())
    await old.note(known, basis_erp_order="b1")
    await (await ledger.record(known)).write(lambda memory: memory.start("erp-order", "b2", event_id="e", at=""))
    done = await Rebuild(ledger).run()
    assert done.notes >= 2
    assert ledger.old_layout is not None
    assert [session_id async for session_id, _ in ledger.old_layout.notes()] == []
    memory = (await ledger.record(record)).memory
    assert (memory.effect("erp-order").done, memory.row_version) == ("b1", 7)
    assert (await ledger.record(known)).memory.effect("erp-order").started == "b2"
    await (await ledger.record(record)).write(lambda memory: memory.end("e1", State.COMPLETED))


async def test_all_of_a_record_can_be_erased(ledger: Ledger, old: OldRelease, account: Account) -> None:
    """Its note, its events with their effects, their places under the correlation id; nothing of any other record."""
    record_id, event_id, other, shared = str(uuid.uuid4()), new_id(), new_id(), uuid.uuid4().hex
    await old.accept(event_id, shared, recordId=record_id)
    await old.do(event_id, "credit-score", "b", SCORE)
    await old.accept(other, shared)
    await old.note(f"opportunity:{record_id}", basis_erp_order="b1")
    assert ledger.old_layout is not None
    assert await ledger.old_layout.erase("opportunity", record_id) == 4
    assert await ledger.read(event_id) is None
    assert [it.event_id for it in await Queries(ledger).by_correlation(shared)] == [other]
    assert (await ledger.record(f"opportunity:{record_id}")).memory == Memory()


async def test_where_there_is_no_old_layout_nothing_is_asked_of_it(
    ledger: Ledger, transport: FaultyTransport, record: str
) -> None:
    """One look at the names of the tables for each process, and no more."""
    await ledger.record(record)
    transport.sent.clear()
    await ledger.record(record)
    assert await ledger.read(new_id("203301010000")) is None
    assert transport.sent == ["GET read records", "GET read events203301"]


def test_the_old_tables_are_no_tables_of_the_ledger() -> None:
    """Nothing that goes over the ledger's tables takes them for its own."""
    assert keys.month_of_table("events") is None
    assert keys.month_of_table("correlations") is None
