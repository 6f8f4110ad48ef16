"""The audit on Azurite: what was done is found again by its month and its event."""

from integration.clock import SystemClock
from integration.ledger import Ledger, keys
from integration.operations.audit import Audit, Subject
from tests.builders import event


async def test_entries_are_listed_newest_first(ledger: Ledger) -> None:
    clock = SystemClock()
    audit, one, other = Audit(ledger, clock), event().event_id, event().event_id
    month = keys.month_at(clock.now())
    for what, event_id in (("retry", one), ("discard", other), ("force", one)):
        async with audit.action(what, Subject(event_id, count=1), by="anna", why="it's mended / äöü"):
            pass

    about_one = await audit.entries(month, event_id=one)
    assert [(it["what"], it["who"], it["why"], it["outcome"], it["count"]) for it in about_one] == [
        (what, "anna", "it's mended / äöü", "done", 1) for what in ("force", "retry")
    ]
    assert [it["what"] for it in (await audit.entries(month))[:3]] == ["force", "discard", "retry"]
    assert await audit.entries("200001") == []
