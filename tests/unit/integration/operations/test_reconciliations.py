"""What is kept of the last reconciliation of each table."""

import json
from dataclasses import replace

import pytest

from integration.errors import Transient
from integration.operations.reconciliations import Compared, Found, Reconciliations
from integration.protection import MemoryState
from tests.memory_table import ManualClock

PAGE = Compared(
    table="account",
    since="2026-11-26T00:00:00Z",
    until="2026-11-26T12:00:00Z",
    rows=500,
    found=[Found("row-1", "never-accepted", "no event", "event-1"), Found("row-2", "waiting", "waits")],
    systems=False,
    deleted=True,
    healing=True,
    first=True,
    last=False,
)


async def test_pages_of_one_reconciliation_add_up_until_the_last_one() -> None:
    """The next one begins anew."""
    kept, clock = MemoryState(), ManualClock()
    it = Reconciliations(kept, clock)
    await it.note(PAGE, by="anna")
    clock.advance(60)
    await it.note(replace(PAGE, first=False, last=True, rows=20, found=[Found("row-3", "waiting", "")]), by="anna")
    found = (await it.last(["account", "contact"]))["account"]
    assert found is not None
    assert (found.rows, found.kinds, found.queued, found.whole) == (520, {"never-accepted": 1, "waiting": 2}, 1, True)
    assert (found.by, found.different, [one.record_id for one in found.found]) == (
        "anna",
        3,
        ["row-1", "row-2", "row-3"],
    )
    assert found.began < found.at
    await it.note(replace(PAGE, found=[], last=True), by="oliver")
    again = (await it.last(["account", "contact"]))["account"]
    assert again is not None
    assert (again.rows, again.different, again.by) == (500, 0, "oliver")
    assert (await it.last(["contact"]))["contact"] is None


async def test_however_much_differs_it_has_room_in_a_column() -> None:
    """A column of the tables holds 32,000 characters."""
    kept = MemoryState()
    it = Reconciliations(kept, ManualClock())
    for number in range(5):
        found = [Found(f"row-{number}-{row}", "different", "x" * 5_000) for row in range(500)]
        await it.note(replace(PAGE, first=not number, found=found), by="anna")
    document, _ = await kept.read("reconciled.account")
    assert document is not None
    assert (document["kinds"], len(document["found"])) == ({"different": 2_500}, 20)
    assert len(json.dumps(document)) < 32_000


async def test_a_reconciliation_goes_on_where_nothing_can_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    class Away(MemoryState):
        async def read(self, key: str) -> tuple[None, None]:
            raise Transient(f"{key} is away", reason="ledger-unavailable")

    await Reconciliations(Away(), ManualClock()).note(PAGE, by="anna")
    assert "reconciliation-not-kept" in caplog.text
