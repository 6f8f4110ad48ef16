"""What all instances share, in a table: people change one document at the same time, and none of it is lost."""

import asyncio
from datetime import timedelta

from integration.clock import SystemClock
from integration.ledger import Ledger
from integration.ledger.keys import SYSTEMS
from integration.ledger.shared_state import TableState
from integration.protection import DebugDetail, TablePauses


def instance(ledger: Ledger) -> tuple[DebugDetail, TablePauses]:
    """What one instance of the app has."""
    pauses = TablePauses(TableState(ledger.table(SYSTEMS)), SystemClock())
    return DebugDetail(pauses.document, SystemClock()), pauses


async def test_debug_detail_and_pauses_are_one_document_that_several_people_change_at_once(ledger: Ledger) -> None:
    (one, pauses), (two, _), (reader, _) = instance(ledger), instance(ledger), instance(ledger)
    until = SystemClock().now() + timedelta(hours=1)
    await asyncio.gather(
        one.turn_on("c-1", until, by="anna", why="why is it slow?"),
        two.turn_on("c:2|x=y", until + timedelta(hours=1), by="oliver", why="größer"),
        pauses.pause("shared_state_table", by="anna", why="a merge"),
    )
    await reader.keep_up()
    known = reader.until("c-1")
    assert known is not None
    assert abs(known - until) < timedelta(milliseconds=1)
    assert reader.until("c-3") is None
    assert {"c-1", "c:2|x=y"} <= (await reader.running()).keys()
    assert "shared_state_table" in await pauses.paused()
    assert await one.turn_off("c:2|x=y")
    assert (await reader.running())["c-1"].why == "why is it slow?"
    assert "c:2|x=y" not in await reader.running()
    await one.turn_off("c-1")
    await pauses.resume("shared_state_table")
