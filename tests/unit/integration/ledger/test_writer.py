"""What people see is written off the path of events: it may be late, and what is lost says so."""

import asyncio
import json
from typing import Any

import azure.functions as func
import pytest

from integration.clock import iso
from integration.errors import Conflict, Outage, Transient
from integration.ledger import State, rows
from integration.ledger.functions import EVERY_TEN_MINUTES, NIGHTLY, blueprint
from integration.ledger.shared_state import TableState
from integration.ledger.writer import StatusWriter
from integration.tables import TableRejected
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger, MemoryTable

NOW = ManualClock().now()


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name.startswith("integration.")]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses pass at once; how long they were."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("integration.ledger.writer.asyncio.sleep", pause)
    return pauses


class Tables:
    """Tables in memory, all of which can be away."""

    def __init__(self) -> None:
        self.tables: dict[str, MemoryTable] = {}
        self.away = False

    def __call__(self, name: str) -> MemoryTable:
        table = self.tables.setdefault(name, MemoryTable(name))
        table.away = self.away
        return table


async def test_rows_that_cannot_be_written_for_ten_minutes_are_given_up_and_logged(
    caplog: pytest.LogCaptureFixture, no_pauses: list[float]
) -> None:
    tables = Tables()
    writer = StatusWriter(tables)
    tables.away = True
    writer.put(rows.event_row(event()))
    writer.put(rows.event_row(event()))
    await writer.drain()

    assert 500 < sum(no_pauses) < 700
    assert [(it["what"], it["count"], it["reason"]) for it in logged(caplog)] == [
        ("status-not-written", 2, "ledger-unavailable")
    ]


async def test_rows_for_which_there_is_no_room_are_counted_and_logged_once_others_get_through(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage must not fill the memory."""
    monkeypatch.setattr("integration.ledger.writer._MOST_WAITING", 2)
    tables = Tables()
    writer = StatusWriter(tables)
    events = [event() for _ in range(5)]
    for it in events:
        writer.put(rows.event_row(it))
    await writer.drain()
    assert [(it["what"], it["count"]) for it in logged(caplog)] == [("status-not-written", 3)]
    assert len(tables("events202611").entities) == 2

    caplog.clear()
    writer.put(rows.event_row(event()))
    await writer.drain()
    assert logged(caplog) == []


async def test_a_row_that_the_tables_refuse_is_named_and_the_others_are_written(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Tables()
    table = tables("events202611")
    bad, good = rows.event_row(event()), rows.event_row(event())
    merge = table.merge

    async def together(_entities: Any) -> None:
        raise TableRejected("one of them is too large")

    async def alone(entity: Any) -> None:
        if entity is bad:
            raise TableRejected("too large")
        await merge(entity)

    monkeypatch.setattr(table, "merge_all", together)
    monkeypatch.setattr(table, "merge", alone)
    writer = StatusWriter(tables)
    writer.put(bad)
    writer.put(good)
    await writer.drain()

    assert [key[1] for key in table.entities] == [good["RowKey"]]
    assert [(it["what"], it["eventId"]) for it in logged(caplog)] == [("status-rejected", bad["RowKey"])]


@pytest.mark.parametrize(("others", "seconds"), [(10, 2.0), (1_001, 30.0)])
async def test_an_event_waits_longer_for_its_row_where_many_rows_wait(
    monkeypatch: pytest.MonkeyPatch, others: int, seconds: float
) -> None:
    """Else events would be faster than the tables, and their rows would fill the memory."""
    waited: list[float | None] = []

    async def given_up(written: asyncio.Future[None], timeout: float | None) -> None:  # noqa: ASYNC109 -- as asyncio's
        waited.append(timeout)
        raise TimeoutError

    tables = Tables()
    writer = StatusWriter(tables)
    for _ in range(others):
        writer.put(rows.event_row(event()))
    monkeypatch.setattr("integration.ledger.writer.asyncio.wait_for", given_up)
    await writer.flushed(rows.event_row(event()))
    monkeypatch.undo()
    await writer.drain()
    assert waited == [seconds]


async def test_a_problem_that_appears_and_goes_in_one_moment_is_not_there() -> None:
    """And one that appears again after it was cleared is."""
    tables, it = Tables(), event()
    writer = StatusWriter(tables)
    waiting = rows.ended(it, State.WAITING, now=NOW, steps=(), reason="erp-timeout")
    problem = rows.problem_row(rows.to_status(waiting), iso(NOW))
    writer.put_problem(problem)
    writer.clear_problem("waiting", it.event_id)
    await writer.drain()
    assert tables("problems").entities == {}

    writer.clear_problem("waiting", it.event_id)
    writer.put_problem(problem)
    await writer.drain()
    assert len(tables("problems").entities) == 1


async def test_a_record_that_many_write_at_once_is_tried_again_later() -> None:
    """Guests keep each other's changes, but not without end."""
    ledger = MemoryLedger(ManualClock())
    record = await ledger.record("account:1", guest=True)
    table = ledger.records

    class Contended:
        name, entities = table.name, table.entities
        tries = 0

        async def get(self, partition: str, row: str) -> Any:
            other = await ledger.record("account:1", guest=True)
            self.tries += 1
            await other.write(lambda memory: setattr(memory, "acted_by", f"{self.tries}"))
            found = await table.get(partition, row)
            await other.write(lambda memory: setattr(memory, "acted_by", f"again {self.tries}"))
            return found

        insert, replace = table.insert, table.replace

    contended = Contended()
    other = await ledger.record("account:1", guest=True)
    await other.write(lambda memory: setattr(memory, "acted_by", "first"))
    record._table = contended  # type: ignore[assignment]
    with pytest.raises(Transient) as raised:
        await record.write(lambda memory: setattr(memory, "waiting", "e"))
    assert raised.value.reason == "record-contended"
    assert 3 < contended.tries < 20


async def test_a_shared_state_is_written_only_where_nobody_else_has_written() -> None:
    table = MemoryTable("systems")
    state = TableState(table)
    assert await state.read("erp") == (None, None)
    etag = await state.write("erp", {"open": True}, None)
    assert await state.read("erp") == ({"open": True}, etag)
    with pytest.raises(Conflict):
        await state.write("erp", {"open": False}, None)
    newer = await state.write("erp", {"open": False}, etag)
    with pytest.raises(Conflict):
        await state.write("erp", {"open": True}, etag)
    assert await state.read("erp") == ({"open": False}, newer)
    assert await state.read("credit") == (None, None)


async def test_the_ledger_is_reached_by_one_read() -> None:
    ledger = MemoryLedger(ManualClock())
    await ledger.ping()
    assert ledger.records.calls == ["get"]
    ledger.records.away = True
    with pytest.raises(Outage):
        await ledger.ping()


class Job:
    """What a timer of the ledger starts."""

    runs = 0

    async def run(self) -> None:
        self.runs += 1


async def test_retention_runs_at_night_and_the_copy_is_looked_after_all_day() -> None:
    """At a minute when not everybody else's jobs begin as well."""
    retention, copy = Job(), Job()
    app = func.FunctionApp()
    app.register_functions(blueprint(retention, copy))  # type: ignore[arg-type]
    nightly, copying = app.get_functions()
    triggers: list[Any] = [function.get_trigger() for function in (nightly, copying)]
    schedules = [trigger.get_dict_repr()["schedule"] for trigger in triggers]
    assert schedules == [NIGHTLY, EVERY_TEN_MINUTES]
    second, minute, hour, *days = NIGHTLY.split()
    assert (second, hour, days) == ("0", "2", ["*", "*", "*"])
    assert minute not in {"0", "15", "30", "45"}
    await nightly.get_user_function()(None)
    assert (retention.runs, copy.runs) == (1, 0)
    await copying.get_user_function()(None)
    assert (retention.runs, copy.runs) == (1, 1)
