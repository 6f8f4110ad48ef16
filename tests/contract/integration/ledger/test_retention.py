"""What the ledger forgets at night, on Azurite; the clock stands in November 2026."""

import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from integration.clock import iso
from integration.ledger import Ledger, Record, State, keys, rows
from integration.ledger.retention import Retention
from integration.tables import Versioned
from tests.builders import event
from tests.contract.integration.ledger.faults import FaultyTransport
from tests.memory_table import ManualClock

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def retention(ledger: Ledger, clock: ManualClock) -> Retention:
    """It keeps the present month and 13 before it: 202510 is the oldest."""
    return Retention(ledger, clock, months=13, audit_months=84, exchange_days=14)


async def test_tables_of_old_months_are_dropped(ledger: Ledger, retention: Retention) -> None:
    """Events, indexes and events without a record; the oldest month that is kept stays, and so does any other table."""
    for minute in ("202509302359", "202510010000"):
        await ledger.accept(event(minute=minute))
        await (await ledger.record(f"{minute}-{uuid.uuid4().hex}")).write(
            lambda memory: memory.end("e", State.COMPLETED)
        )
    await deleted_in(ledger, "")
    await ledger.table("eventsarchive").merge({"PartitionKey": "p", "RowKey": "somebody else's"})
    await retention.run()
    names = set(await ledger.names())
    assert not {"events202509", "index202509", "records202509"} & names
    assert {"events202510", "index202510", "records202510", "eventsarchive", "records"} <= names
    assert "202509" not in await ledger.months()
    assert (await retention.run()).tables == 0


async def test_what_people_did_is_kept_for_longer(ledger: Ledger, retention: Retention, clock: ManualClock) -> None:
    """For a time of its own, which is never shorter than that of events."""
    for month in ("201910", "201911", "202509", "202510"):
        await ledger.table(keys.audit_table(month)).merge({"PartitionKey": "all", "RowKey": "1"})
    await retention.run()
    assert {"audit201911", "audit202509", "audit202510"} <= set(await ledger.names())
    assert "audit201910" not in await ledger.names()
    await Retention(ledger, clock, months=13, audit_months=1, exchange_days=14).run()
    assert {"audit202509", "audit202510"} & set(await ledger.names()) == {"audit202510"}


async def test_problems_of_old_events_are_removed(ledger: Ledger, retention: Retention) -> None:
    """Whatever their state; unreadable messages, whose id has no time, by when they came."""
    unreadable = [dataclasses.replace(event(), event_id=f"unreadable-{uuid.uuid4().hex}") for _ in range(2)]
    old = [event(minute="202509302359") for _ in range(3)]
    kept = event(minute="202510010000")
    put = [(it, NOW) for it in (*old, kept)] + [
        (unreadable[0], datetime(2025, 9, 30, tzinfo=UTC)),
        (unreadable[1], NOW),
    ]
    for state in (State.DEAD_LETTERED, State.WAITING):
        for it, since in put:
            row = rows.ended(it, state, now=NOW, steps=(), reason="r")
            ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(since)))
    await ledger.status.drain()
    forgotten = await retention.run()
    assert forgotten.problems == 2 * (len(old) + 1)
    left = {str(it["RowKey"]) async for it in ledger.table(keys.PROBLEMS).query()}
    assert {kept.event_id, unreadable[1].event_id} <= left
    assert not {unreadable[0].event_id, *(it.event_id for it in old)} & left


async def test_old_messages_that_nobody_could_read_are_removed(ledger: Ledger, retention: Retention) -> None:
    """They lie in a table that is never dropped."""
    old, new = (dataclasses.replace(event(), event_id=f"unreadable-{uuid.uuid4().hex}") for _ in range(2))
    old = dataclasses.replace(old, accepted_time=datetime(2025, 9, 30, 23, 59, tzinfo=UTC))
    for it in (old, new):
        ledger.status.put(rows.ended(it, State.DEAD_LETTERED, now=NOW, steps=(), reason="unreadable"))
    await ledger.status.drain()
    assert (await retention.run()).events == 1
    assert await ledger.read(old.event_id) is None
    assert await ledger.read(new.event_id) is not None


async def deleted_in(ledger: Ledger, month: str) -> str:
    """A record whose row was deleted in this month; empty: it exists."""
    session_id = f"account:{uuid.uuid4()}"
    await (await ledger.record(session_id)).write(lambda memory: setattr(memory, "deleted", month))
    return session_id


async def is_kept(ledger: Ledger, session_id: str) -> bool:
    return await ledger.table(keys.RECORDS).get(*keys.record_keys(session_id)) is not None


async def test_records_of_rows_that_were_deleted_long_ago_are_removed(ledger: Ledger, retention: Retention) -> None:
    """Rows that exist are kept for ever, however long nobody has touched them."""
    gone, kept, exists = [await deleted_in(ledger, month) for month in ("202509", "202510", "")]
    assert (await retention.run()).records == 1
    assert [await is_kept(ledger, it) for it in (gone, kept, exists)] == [False, True, True]


async def test_a_row_that_comes_back_meanwhile_keeps_its_record(
    ledger: Ledger, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody restores it between the list and the deletion, or between the last look and the deletion."""
    session_id = await deleted_in(ledger, "202509")
    table = ledger.table(keys.RECORDS)
    read = table.get

    async def meanwhile(partition: str, row: str) -> Versioned | None:
        found = await read(partition, row)
        if row == session_id:
            await Record(table, session_id, found).write(lambda memory: setattr(memory, "deleted", ""))
        return found

    monkeypatch.setattr(table, "get", meanwhile)
    assert (await retention.run()).records == 0
    assert await is_kept(ledger, session_id)


async def test_a_run_stops_when_its_time_is_over_and_the_next_goes_on(
    ledger: Ledger, clock: ManualClock, transport: FaultyTransport
) -> None:
    """A function has five minutes."""
    records = [await deleted_in(ledger, "202509") for _ in range(3)]
    hurried = Retention(ledger, clock, months=13, audit_months=84, exchange_days=14, run_seconds=-1)
    assert not (await hurried.run()).finished
    while not (await Retention(ledger, clock, months=13, audit_months=84, exchange_days=14).run()).finished:
        pass
    assert not any([await is_kept(ledger, it) for it in records])


@pytest.mark.parametrize(
    ("moment", "back", "month"),
    [
        (datetime(2026, 11, 30, tzinfo=UTC), 0, "202611"),
        (datetime(2026, 11, 30, tzinfo=UTC), 10, "202601"),
        (datetime(2026, 11, 30, tzinfo=UTC), 11, "202512"),
        (datetime(2026, 1, 31, tzinfo=UTC), 13, "202412"),
    ],
)
def test_months_are_counted_back(moment: datetime, back: int, month: str) -> None:
    assert keys.month_at(moment, back=back) == month
