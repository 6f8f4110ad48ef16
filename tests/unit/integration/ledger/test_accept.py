"""What becomes of what was accepted while the tables do not keep up."""

import json
import logging
import tracemalloc
from dataclasses import replace

import pytest

from integration.errors import Outage
from tests.builders import event
from tests.memory_table import ManualClock, MemoryLedger


async def test_where_too_much_waits_the_rest_is_left_to_the_worker(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has an end; the worker writes the same when it takes the event up."""
    monkeypatch.setattr("integration.ledger.ledger._MOST_WAITING", 1)
    caplog.set_level(logging.INFO)
    ledger, first, second = MemoryLedger(ManualClock()), event(), event()
    written = ledger.accept(first)
    with pytest.raises(Outage):
        await ledger.accept(second, urgent=True)
    await written
    assert await ledger.read(first.event_id) is not None
    (line,) = [json.loads(it.message) for it in caplog.records if "ledger-behind" in it.message]
    assert line["eventId"] == second.event_id


async def test_what_waits_for_the_tables_holds_nothing_of_what_events_carry() -> None:
    """Storage may be slow for minutes while events of many kilobytes are taken in, and thousands of them wait."""
    ledger = MemoryLedger(ManualClock())
    tracemalloc.start()
    try:
        for number in range(100):
            ledger.accept(replace(event(), values={"description": str(number) * 50_000}))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
