"""Finding events: by what they have in common, by record, by time, by what is wrong."""

import asyncio
import dataclasses
import uuid
from datetime import UTC, datetime

import pytest

from integration.events import IntegrationEvent
from integration.events.identity import partition_of
from integration.ledger import Ledger
from integration.ledger.queries import Queries
from tests.builders import event

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


@pytest.fixture
def queries(ledger: Ledger) -> Queries:
    return Queries(ledger)


def of_record(table: str, record_id: str, minute: str) -> IntegrationEvent:
    """An event with an id as the intake gives it: with the digits of its record."""
    hashed = f"{partition_of(f'{table}:{record_id}')}{uuid.uuid4().hex[:24]}"
    return dataclasses.replace(event(), event_id=f"{minute}-{hashed}", table=table, record_id=record_id)


async def test_correlation_ids_of_any_form_are_kept_apart(ledger: Ledger, queries: Queries) -> None:
    """Slashes, quotes and any length are allowed; one id is not found by the beginning of another."""
    strange = [it + uuid.uuid4().hex for it in ("a/b\\c#d?e'f", "ü" * 200, "x", "x~", "%")]
    events = [event(correlation_id=correlation_id) for correlation_id in strange]
    await asyncio.gather(*(ledger.accept(it) for it in events))
    for it in events:
        assert [found.event_id for found in await queries.by_correlation(it.correlation_id)] == [it.event_id]
        assert await queries.by_correlation(it.correlation_id[:-1]) == []


async def test_events_of_one_correlation_come_oldest_first_over_the_months(ledger: Ledger, queries: Queries) -> None:
    """A hundred at most; a caller may name the months."""
    shared = uuid.uuid4().hex
    events = [event(minute=f"2026{month:02}010000", correlation_id=shared) for month in (12, 11, 10) for _ in range(40)]
    await asyncio.gather(*(ledger.accept(it) for it in events))
    assert [it.event_id for it in await queries.by_correlation(shared)] == sorted(it.event_id for it in events)[:100]
    assert len(await queries.by_correlation(shared, ["202612"])) == 40


async def test_the_events_of_a_record_come_newest_first(ledger: Ledger, queries: Queries) -> None:
    """Of all months, and of this record alone, whatever its id has in it."""
    record_id, other = f"it's {uuid.uuid4()}", str(uuid.uuid4())
    mine = [of_record("account", record_id, f"2026{month}201905") for month in (10, 11, 12)]
    others = [of_record("account", other, "202611201905"), of_record("contact", record_id, "202611201905")]
    await asyncio.gather(*(ledger.accept(it) for it in (*mine, *others)))
    found = await queries.by_record("account", record_id)
    assert [it.event_id for it in found] == [it.event_id for it in reversed(mine)]
    assert await queries.by_record("account", str(uuid.uuid4())) == []


async def test_events_are_found_by_the_time_of_their_operation(ledger: Ledger, queries: Queries) -> None:
    """From the minute of the start up to the end, over hours, days and months, newest first."""
    minutes = ["203601312258", "203601312259", "203601312300", "203602010030", "203602010031", "203602010032"]
    events = [event(minute=minute) for minute in minutes]
    await asyncio.gather(*(ledger.accept(it) for it in events))

    async def found(start: datetime, end: datetime, most: int = 100) -> list[str]:
        return [it.event_id[:12] for it in await queries.by_time(start, end, most=most)]

    start, end = datetime(2036, 1, 31, 22, 59, 30, tzinfo=UTC), datetime(2036, 2, 1, 0, 31, tzinfo=UTC)
    assert await found(start, end) == ["203602010030", "203601312300", "203601312259"]
    assert await found(start, end.replace(second=1)) == ["203602010031", *await found(start, end)]
    assert await found(start, end, 2) == ["203602010030", "203601312300"]
    assert await found(start, start) == ["203601312259"]
    assert await found(end, start) == []


async def test_the_months_are_those_of_events(ledger: Ledger) -> None:
    """Newest first; what is no event of ours is of no month."""
    await ledger.accept(event(minute="203501010000"))
    await ledger.accept(dataclasses.replace(event(), event_id="unreadable-" + uuid.uuid4().hex))
    months = await ledger.months()
    assert "203501" in months
    assert months == sorted(months, reverse=True)
    assert "000000" not in months
