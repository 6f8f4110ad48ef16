"""Which part of the ledger a list is read from, and what narrows it."""

import asyncio
import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from integration.errors import Rejected
from integration.ledger import EventStatus, State, keys
from integration.ledger.problems import Problem, ProblemPage, Problems
from integration.ledger.queries import Queries
from integration.operations.search import Filter, Search
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger
from tests.unit.integration.operations.parts import Numbered

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
        self.search = Search(self, AskedForProblems(self.asked), Numbered({"SO-1": ("account", "r")}), ManualClock())

    async def by_correlation(self, correlation_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        self.asked.append(("correlation", correlation_id, months))
        return [ERP, CREDIT]

    async def by_record(self, table: str, record_id: str, months: Iterable[str] | None = None) -> list[EventStatus]:
        self.asked.append(("record", table, record_id, months))
        return [ERP]

    async def ids_by_time(self, start: datetime, end: datetime, *, most: int, before: str = "") -> list[str]:
        self.asked.append(("time", start, end, most))
        return ["e-1", "e-2"]

    async def read_all(self, event_ids: Sequence[str]) -> list[EventStatus]:
        return [it for it in (ERP, CREDIT) if it.event_id in event_ids]


class AskedForProblems(Problems):
    """Notes which problems were read; knows one."""

    def __init__(self, asked: list[object]) -> None:
        super().__init__(MemoryLedger(ManualClock()))
        self.asked = asked

    async def page(
        self, state: str, *, most: int, after: str = "", first: str = "", last: str = "", **columns: str
    ) -> ProblemPage:
        self.asked.append(("problems", state, first, last, {name: it for name, it in columns.items() if it}))
        return ProblemPage([Problem("e-2", state, "", None, "", "", "", "", 1, None, None)][:most])


@pytest.mark.parametrize(
    ("wanted", "asked", "found"),
    [
        (Filter(correlation_id="c"), ("correlation", "c", None), ["e-1", "e-2"]),
        (Filter(correlation_id="c", table="account"), ("correlation", "c", None), ["e-1"]),
        (Filter(table="account", record_id="r"), ("record", "account", "r", None), ["e-1"]),
        (Filter(number="SO-1"), ("record", "account", "r", None), ["e-1"]),
        (Filter(end=NOW), ("time", NOW - timedelta(hours=1), NOW, 1_000), ["e-1", "e-2"]),
        (
            Filter(start=NOW - timedelta(hours=3), state="waiting"),
            ("time", NOW - timedelta(hours=3), NOW, 1_000),
            ["e-2"],
        ),
        (Filter(start=NOW, system="credit"), ("time", NOW, NOW, 1_000), ["e-2"]),
        (Filter(), ("problems", "dead-lettered", "", "", {}), ["e-2"]),
        (
            Filter(state="waiting", reason="x", system="erp"),
            ("problems", "waiting", "", "", {"reason": "x", "system": "erp"}),
            ["e-2"],
        ),
    ],
)
async def test_a_filter_is_read_where_it_is_cheapest(wanted: Filter, asked: object, found: list[str]) -> None:
    queries = Asked()
    page = await queries.search.events(wanted)
    assert queries.asked == [asked]
    assert ([it.event_id for it in page.events], page.following) == (found, None)


async def test_problems_are_narrowed_by_record_and_time_too() -> None:
    """The time is that of the operation, which ids of events begin with."""
    queries = Asked()
    wanted = Filter(table="account", record_id="r", start=NOW, end=NOW + timedelta(minutes=5, seconds=1))
    await queries.search.problems(wanted, most=5)
    narrowed = {"table": "account", "recordId": "r"}
    assert queries.asked == [("problems", "dead-lettered", "202611202000", "202611202006", narrowed)]


async def test_long_lists_by_time_are_read_page_by_page_and_filtered_on_the_way() -> None:
    """None is missing and none comes twice; a page may have none though others are further back."""
    ledger = MemoryLedger(ManualClock())
    events = [dataclasses.replace(event(minute=f"2026112019{n % 60:02}"), record_id=None) for n in range(1_150)]
    await asyncio.gather(*(ledger.accept(it) for it in events))
    odd = sorted((it.event_id for it in events), reverse=True)[1_050]
    partition, row = keys.event_keys(odd)
    await ledger.table("events202611").merge({"PartitionKey": partition, "RowKey": row, "reason": "odd"})
    search = Search(Queries(ledger), Problems(ledger), Numbered(), ManualClock())
    found, sizes, before = [], [], ""
    while True:
        page = await search.events(Filter(start=NOW - timedelta(hours=2)), following=before)
        found += [it.event_id for it in page.events]
        sizes.append(len(page.events))
        if page.following is None:
            break
        before = page.following
    assert found == sorted((it.event_id for it in events), reverse=True)
    assert sizes == [100] * 11 + [50]

    wanted = Filter(start=NOW - timedelta(hours=2), reason="odd")
    first = await search.events(wanted)
    assert (first.events, first.following is None) == ([], False)
    second = await search.events(wanted, following=first.following or "")
    assert ([it.event_id for it in second.events], second.following) == ([odd], None)


async def test_a_page_that_is_none_is_refused() -> None:
    with pytest.raises(Rejected, match="as `following`"):
        await Asked().search.events(Filter(start=NOW), following="x' or 1 eq 1")


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
        await queries.search.events(wanted)
    assert (refused.value.status, queries.asked) == (400, [])
