"""The ledger as a file: all of it comes back, nothing newer is written over, what is no export is refused."""

import asyncio
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.clock import SystemClock, iso
from integration.errors import Outage, Unreadable
from integration.ledger import DeadLetter, Ledger, State, keys, rows
from integration.ledger.transfer import Imported, export, restore, tables
from tests.builders import event
from tests.contract.integration.ledger.faults import FaultyTransport

NOW = datetime(2026, 11, 20, 19, 5, 2, tzinfo=UTC)


async def exported(ledger: Ledger) -> list[str]:
    return [line async for line in export(ledger, SystemClock())]


async def restored(ledger: Ledger, lines: Iterable[str], first_line: int = 1) -> Imported:
    return await restore(ledger, lines, first_line=first_line)


async def lose_everything(ledger: Ledger) -> None:
    """The account is a new one."""
    for name in await tables(ledger):
        await ledger.table(name).drop()


@pytest.fixture(autouse=True)
async def some_events(ledger: Ledger) -> str:
    """A ledger with something of everything in it, and nothing else; the session id of a record in it."""
    await lose_everything(ledger)
    it = event()
    await asyncio.gather(*(ledger.accept(event(minute=f"2026{n % 3 + 10}201905")) for n in range(30)))
    await ledger.accept(it, urgent=True)
    record = await ledger.record(it.session_id)
    record.change(lambda memory: memory.start("order", "f1", event_id=it.event_id, at=NOW.isoformat()))
    await record.write(lambda memory: memory.bury(it.event_id, DeadLetter("erp-rejected", "ü 422", NOW.isoformat())))
    row = rows.ended(it, State.DEAD_LETTERED, now=NOW, steps=(), reason="erp-rejected", detail="ü 422")
    ledger.status.put(row)
    ledger.status.put_problem(rows.problem_row(rows.to_status(row), iso(NOW)))
    await ledger.status.drain()
    await (await ledger.record(f"202611201905-{uuid.uuid4().hex}")).write(
        lambda memory: memory.end("e", State.COMPLETED)
    )
    await ledger.table("audit202611").merge({"PartitionKey": "all", "RowKey": "1", "schema": 1, "what": "erase"})
    return it.session_id


async def test_all_of_the_ledger_comes_back(ledger: Ledger, some_events: str) -> None:
    """Records, events, indexes, problems, what was written down of erasures: entity by entity."""
    lines = await exported(ledger)
    kinds = {json.loads(line)["table"] for line in lines[1:-1]}
    assert {"records", "problems", "audit202611", "events202611", "index202611", "records202611"} <= kinds
    await lose_everything(ledger)
    done = await restored(ledger, lines)
    assert (done.line, done.written, done.present) == (len(lines), len(lines) - 2, 0)
    assert (await exported(ledger))[1:] == lines[1:]
    assert (await ledger.record(some_events)).memory.effect("order").started == "f1"


async def test_what_is_there_already_is_newer_and_stays(ledger: Ledger, some_events: str) -> None:
    """So an import can be repeated, also while the app works again."""
    lines = await exported(ledger)
    await (await ledger.record(some_events)).write(lambda memory: memory.end("later", State.COMPLETED))
    done = await restored(ledger, lines)
    assert (done.written, done.present) == (0, len(lines) - 2)
    assert "later" in (await ledger.record(some_events)).memory.recent


async def test_an_import_that_was_interrupted_goes_on(ledger: Ledger, transport: FaultyTransport) -> None:
    """From the line that it had come to, or from the beginning."""
    lines = await exported(ledger)
    filler = [
        json.dumps({"table": "problems", "entity": {"PartitionKey": "waiting.0", "RowKey": f"{n}", "schema": 1}})
        for n in range(450)
    ]
    long = [*lines[:-1], *filler, lines[-1]]
    await lose_everything(ledger)
    reached: list[Imported] = []

    def report(done: Imported) -> None:
        reached.append(done)
        transport.away = True

    with pytest.raises(Outage):
        await restore(ledger, long, report=report)
    (done,) = reached
    assert 0 < done.line < len(long)
    transport.away = False
    again = await restored(ledger, long, done.line + 1)
    assert (done.written + again.written, again.present) == (len(long) - 2, 0)
    assert sorted(map(content, (await exported(ledger))[1:-1])) == sorted(map(content, long[1:-1]))


def content(line: str) -> str:
    """The same for the same entity, however its line is spelled."""
    return json.dumps(json.loads(line), sort_keys=True)


def changed(line: str, **changes: Any) -> str:
    return json.dumps({**json.loads(line), **changes})


async def test_what_is_no_export_is_refused(ledger: Ledger) -> None:
    """And nothing of it is written."""
    header, *_, end = await exported(ledger)
    assert json.loads(header).keys() == {"ledger", "format", "recordSchema", "rowSchema", "exportedTime"}
    await lose_everything(ledger)
    good = json.dumps({"table": "problems", "entity": {"PartitionKey": "p", "RowKey": "1"}})
    strange = json.dumps({"table": "mine", "entity": {"PartitionKey": "p", "RowKey": "1"}})
    newer = json.dumps({"table": "records", "entity": {"PartitionKey": "p", "RowKey": "1", "schema": 99}})
    for lines, said in (
        ([], "line 1"),
        (["{}", good, end], "line 1"),
        (["no json", good, end], "line 1"),
        ([header, "no json", end], "line 2"),
        ([header, strange, end], "table mine"),
        ([changed(header, format=2), good, end], "newer version"),
        ([changed(header, recordSchema=2), good, end], "newer version"),
        ([changed(header, rowSchema=2), good, end], "newer version"),
        ([header, newer, end], "newer version"),
    ):
        with pytest.raises(Unreadable, match=said):
            await restored(ledger, lines)
    assert await tables(ledger) == []


async def test_a_file_that_was_cut_short_is_refused(ledger: Ledger) -> None:
    """What it has is imported all the same."""
    lines = await exported(ledger)
    await lose_everything(ledger)
    with pytest.raises(Unreadable, match="cut short"):
        await restored(ledger, lines[:-1])
    assert (await exported(ledger))[1:-1] == lines[1:-1]


async def test_an_export_does_not_pretend_to_know_what_a_newer_version_wrote(ledger: Ledger) -> None:
    await ledger.table(keys.RECORDS).insert({"PartitionKey": "p", "RowKey": "account:1", "schema": 99, "memory": "{}"})
    with pytest.raises(Unreadable, match="newer version"):
        await exported(ledger)
    await ledger.table(keys.RECORDS).delete("p", "account:1")
