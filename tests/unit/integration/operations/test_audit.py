"""What people do is written down before it is done, with its outcome after."""

import pytest

from integration.errors import IntegrationError, Outage, Rejected
from integration.operations.audit import Subject
from tests.unit.integration.operations.parts import WHO, Desk

ABOUT = Subject(event_id="e-1", system="erp", count=3)


async def test_it_is_written_before_the_action_and_completed_after_it() -> None:
    desk = Desk()
    async with desk.audit.action("retry", ABOUT, **WHO) as entry:
        (before,) = desk.audited
        entry.outcome = "sent as e-2"
    (after,) = desk.audited
    assert (before["outcome"], after["outcome"]) == ("", "sent as e-2")
    assert {name: after[name] for name in ("what", "who", "why", "eventId", "system", "count")} == {
        "what": "retry",
        "who": "support",
        "why": "the ERP was mended",
        "eventId": "e-1",
        "system": "erp",
        "count": 3,
    }


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Rejected(409, "Not now", "Wait."), "refused: Not now"),
        (Outage("quotes 4711", reason="broker-unavailable"), "failed: broker-unavailable"),
        (ValueError("quotes 4711"), "failed: ValueError"),
    ],
)
async def test_a_failed_action_has_its_outcome_in_our_words(error: Exception, outcome: str) -> None:
    """The message of an error may quote column values."""
    desk = Desk()
    with pytest.raises(type(error)):
        async with desk.audit.action("retry", ABOUT, **WHO):
            raise error
    assert desk.audited[0]["outcome"] == outcome


@pytest.mark.parametrize(("by", "why"), [("support", "  "), ("", "because")])
async def test_nobody_does_anything_without_a_reason(by: str, why: str) -> None:
    desk = Desk()
    with pytest.raises(Rejected) as refused:
        async with desk.audit.action("retry", ABOUT, by=by, why=why):
            pytest.fail("was done")
    assert refused.value.status == 400
    assert desk.audited == []


async def test_what_cannot_be_written_down_is_not_done() -> None:
    desk = Desk()
    desk.audit_table.away = True
    with pytest.raises(IntegrationError):
        async with desk.audit.action("retry", ABOUT, **WHO):
            pytest.fail("was done")


async def test_an_outcome_that_cannot_be_written_fails_nothing() -> None:
    """The action was done: its entry stays without an outcome."""
    desk = Desk()
    async with desk.audit.action("retry", ABOUT, **WHO):
        desk.audit_table.away = True
    assert desk.audited[0]["outcome"] == ""
