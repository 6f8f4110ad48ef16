"""Which part of the ledger a list is read from, and what narrows it."""

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from integration.errors import Rejected
from integration.ledger import EventStatus, State
from integration.ledger.queries import Problem, Queries
from integration.operations.search import Filter, Search
from tests.unit.integration.worker.memory_table import ManualClock, MemoryLedger

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
ERP = EventStatus(
    event_id="e-1",
    correlation_id="c",
    organisation="o",
    table="account",
    record_id="r",
    message="Update",
    state=State.COMPLETED,
    accepted_time=NOW,
)
CREDIT = dataclasses.replace(ERP, event_id="e-2", table="opportunity", state=State.WAITING, system="credit")


class Asked(Queries):
    """Notes which list was read; knows two events."""

    def __init__(self) -> None:
        super().__init__(MemoryLedger(ManualClock()))
        self.asked: list[object] = []

    async def by_correlation(self, correlation_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        self.asked.append(("correlation", correlation_id, months))
        return [ERP, CREDIT]

    async def by_record(self, table: str, record_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        self.asked.append(("record", table, record_id, months))
        return [ERP]

    async def by_time(self, start: datetime, end: datetime, *, most: int = 100) -> list[EventStatus]:
        self.asked.append(("time", start, end, most))
        return [ERP, CREDIT]

    async def problems(
        self, state: str, *, reason: str = "", system: str = "", table: str = "", most: int = 1_000
    ) -> list[Problem]:
        self.asked.append(("problems", state, reason, system, table))
        return [Problem("e-2", state, table, None, "", reason, "", system, 1, None, None)][:most]

    async def read_all(self, event_ids: Sequence[str]) -> list[EventStatus]:
        return [it for it in (ERP, CREDIT) if it.event_id in event_ids]


@pytest.mark.parametrize(
    ("wanted", "asked", "found"),
    [
        (Filter(correlation_id="c"), ("correlation", "c", None), ["e-1", "e-2"]),
        (Filter(correlation_id="c", table="account"), ("correlation", "c", None), ["e-1"]),
        (Filter(table="account", record_id="r"), ("record", "account", "r", None), ["e-1"]),
        (Filter(end=NOW), ("time", NOW - timedelta(hours=1), NOW, 1_000), ["e-1", "e-2"]),
        (
            Filter(start=NOW - timedelta(hours=3), state="waiting"),
            ("time", NOW - timedelta(hours=3), NOW, 1_000),
            ["e-2"],
        ),
        (Filter(start=NOW, system="credit"), ("time", NOW, NOW, 1_000), ["e-2"]),
        (Filter(), ("problems", "dead-lettered", "", "", ""), ["e-2"]),
        (Filter(state="waiting", reason="x", system="erp"), ("problems", "waiting", "x", "erp", ""), ["e-2"]),
    ],
)
async def test_a_filter_is_read_where_it_is_cheapest(wanted: Filter, asked: object, found: list[str]) -> None:
    queries = Asked()
    events = await Search(queries, ManualClock()).events(wanted)
    assert queries.asked == [asked]
    assert [it.event_id for it in events] == found


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(record_id="r"),
        Filter(state="completed"),
        Filter(start=NOW - timedelta(hours=49)),
        Filter(start=NOW, end=NOW - timedelta(hours=1)),
    ],
)
async def test_a_list_that_would_read_everything_is_refused(wanted: Filter) -> None:
    queries = Asked()
    with pytest.raises(Rejected) as refused:
        await Search(queries, ManualClock()).events(wanted)
    assert (refused.value.status, queries.asked) == (400, [])
