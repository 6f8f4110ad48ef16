"""Everything about one record goes, nothing else does, and it is written down who did it and why."""

import dataclasses
import uuid
from datetime import UTC, datetime
from functools import partial

import pytest
from azure.storage.blob import BlobServiceClient

from integration.claim_check import BlobContents, ClaimCheck, erase
from integration.clock import SystemClock, iso
from integration.events import IntegrationEvent
from integration.ledger import Ledger, State, keys, rows
from integration.ledger.audit_log import AuditLog
from integration.ledger.erasure import Erased, Erasure, RecordUnderWayError
from integration.ledger.queries import Queries
from integration.ledger.shared_state import TableState
from integration.ledger.transfer import export, tables
from integration.tables import Entity
from tests.builders import event
from tests.contract.integration.ledger.faults import Fault, FaultyTransport

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def contents(storage: str) -> BlobContents:
    """A container of the test's own."""
    blobs = BlobServiceClient.from_connection_string(storage)
    return BlobContents(lambda: blobs.get_container_client(f"claims-{uuid.uuid4()}"))


@pytest.fixture
def erasure(ledger: Ledger, contents: BlobContents) -> Erasure:
    return Erasure(ledger, SystemClock(), erase_contents=partial(erase, contents))


@pytest.fixture(autouse=True)
async def nothing_else(ledger: Ledger) -> None:
    """A ledger that other tests have not written to."""
    for name in await tables(ledger):
        await ledger.table(name).drop()


async def lived(ledger: Ledger, record_id: str, state: State = State.DEAD_LETTERED) -> list[IntegrationEvent]:
    """A record with an event in each of three months, each with a problem, and what is remembered of it."""
    events = [
        dataclasses.replace(event(minute=f"2026{month}201905"), record_id=record_id) for month in ("09", "10", "11")
    ]
    for it in events:
        await ledger.accept(it, urgent=True)
        row = rows.ended(it, state, now=NOW, steps=(), reason="erp-rejected", published=True)
        ledger.status.put(row)
        ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(NOW)))
    ledger.status.put_problem(rows.behind_row(events[0], "erp", NOW))
    await ledger.status.drain()
    await (await ledger.record(events[0].session_id)).write(lambda memory: memory.act("e", NOW, 7))
    await TableState(ledger.table(keys.REFERENCES)).write(f"erp.order.{record_id}", {"number": "S-ORD1"}, None)
    return events


async def audit(ledger: Ledger) -> list[Entity]:
    return (await AuditLog(ledger, SystemClock()).page(keys.month_at(SystemClock().now()))).entries


async def mentions(ledger: Ledger, *words: str) -> list[str]:
    """All lines of the ledger that have one of the words in them."""
    return [line async for line in export(ledger, SystemClock()) if any(word in line for word in words)]


async def test_everything_about_a_record_goes(ledger: Ledger, erasure: Erasure) -> None:
    """Its record, the rows of its events of all months, their places in the indexes, its problems."""
    record_id, other = str(uuid.uuid4()), str(uuid.uuid4())
    mine, others = await lived(ledger, record_id), await lived(ledger, other)
    before = await mentions(ledger, other, *(it.event_id for it in others))
    erased = await erasure.erase("opportunity", record_id, by="me", reason="request 17")
    assert erased == Erased(records=1, events=3, indexes=6, problems=4, references=1)
    assert await mentions(ledger, record_id, *(it.event_id for it in mine)) == []
    assert await mentions(ledger, other, *(it.event_id for it in others)) == before
    assert await Queries(ledger).by_correlation(mine[0].correlation_id) == []


async def test_what_its_events_carry_beside_their_messages_is_erased(
    ledger: Ledger, erasure: Erasure, contents: BlobContents
) -> None:
    """Also of events that the ledger has no row of any more; what is kept for other records stays."""
    claim_check = ClaimCheck(contents, limit_bytes=16_384)
    mine, other = event(), event()
    for it in (mine, other):
        await claim_check.fitted(dataclasses.replace(it, parameters={"Text": "x" * 20_000}))

    erased = await erasure.erase(mine.table, str(mine.record_id), by="me", reason="request 17")

    assert erased == Erased(contents=1)
    [left] = [it.name for it in contents.kept()]
    assert other.event_id in left


async def test_it_is_written_down_without_naming_the_record(ledger: Ledger, erasure: Erasure) -> None:
    """Who, when, why and how much; the record by a hash, which shows it to whoever knows the record."""
    record_id = str(uuid.uuid4())
    await lived(ledger, record_id)
    await erasure.erase("opportunity", record_id, by="me", reason="request 17")
    (row,) = await audit(ledger)
    assert (row["what"], row["outcome"], row["who"], row["why"]) == ("erase", "done", "me", "request 17")
    assert (row["records"], row["events"], row["indexes"], row["problems"]) == (1, 3, 6, 4)
    assert row["table"] == "opportunity"
    assert row["record"] == keys.hashed(f"opportunity:{record_id}", 32)
    assert record_id not in str(row)


async def test_what_was_interrupted_is_done_by_doing_it_again(
    ledger: Ledger, erasure: Erasure, transport: FaultyTransport
) -> None:
    """The first attempt is written down as started: nobody can say that nothing happened."""
    record_id = str(uuid.uuid4())
    events = await lived(ledger, record_id)
    transport.concerns = lambda request: request.method == "DELETE"
    transport.faults = [Fault.AWAY, Fault.AWAY]
    with pytest.raises(Exception, match="cannot be reached"):
        await erasure.erase("opportunity", record_id, by="me", reason="request 17")
    transport.faults = []
    await erasure.erase("opportunity", record_id, by="me", reason="request 17, again")
    assert await mentions(ledger, record_id, *(it.event_id for it in events)) == []
    assert [it.get("outcome") for it in await audit(ledger)] == ["done", None]


async def test_a_record_whose_events_have_not_ended_is_not_erased(ledger: Ledger, erasure: Erasure) -> None:
    """What is erased would come back with them; whoever insists may have it."""
    record_id = str(uuid.uuid4())
    await lived(ledger, record_id, State.WAITING)
    found = await erasure.find("opportunity", record_id)
    assert (found.record, len(found.events), len(found.under_way)) == (True, 3, 3)
    with pytest.raises(RecordUnderWayError, match="3 event"):
        await erasure.erase("opportunity", record_id, by="me", reason="r")
    assert await audit(ledger) == []
    assert (await erasure.erase("opportunity", record_id, by="me", reason="r", force=True)).events == 3


async def test_an_event_that_has_ended_without_its_row_knowing_is_no_obstacle(ledger: Ledger, erasure: Erasure) -> None:
    """The record is asked."""
    record_id = str(uuid.uuid4())
    events = await lived(ledger, record_id, State.WAITING)
    record = await ledger.record(events[0].session_id)
    for it in events:
        record.change(lambda memory, it=it: memory.end(it.event_id, State.COMPLETED))  # type: ignore[misc]
    await record.write()
    assert (await erasure.find("opportunity", record_id)).under_way == []


async def test_the_days_of_the_archive_are_known_from_the_events(ledger: Ledger, erasure: Erasure) -> None:
    """From the evening before the first was accepted to the morning after it was published."""
    it = dataclasses.replace(event(), record_id=str(uuid.uuid4()))
    ledger.status.put(
        rows.ended(it, State.COMPLETED, now=datetime(2026, 11, 22, 8, tzinfo=UTC), steps=(), published=True)
    )
    await ledger.status.drain()
    found = await erasure.find("opportunity", str(it.record_id))
    assert found.days == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]


async def test_erasing_what_is_not_there_is_written_down_too(ledger: Ledger, erasure: Erasure) -> None:
    """That somebody asked is written down as well; a quote in the id does no harm."""
    assert await erasure.erase("contact", "it's unknown", by="me", reason="r") == Erased()
    assert len(await audit(ledger)) == 1
