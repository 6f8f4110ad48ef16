"""What was sent at attempts that failed and what came back: who sees it, and where."""

import json

import pytest

from integration.errors import Outage, Permanent, Transient
from integration.transport import Call, Request, Response
from tests.memory_table import ManualClock
from tests.unit.integration.operations.console_kit import Console, text_of
from tests.unit.integration.operations.parts import Desk

SENT = b'{"name":"Mia Wong","amount":10.50,"lines":[]}'
REQUEST = Request("erp", "put order", "PUT", "https://erp.contoso.example/orders/1", body=SENT)
REFUSAL = Response(REQUEST, 422, {"content-type": "application/problem+json"}, b'{"title":"<b>no</b>"}')
REFUSED = Call(REQUEST, REFUSAL, ManualClock().now(), 0.25)
ANSWERED = Call(REQUEST, Response(REQUEST, 200, {}, b"{}"), ManualClock().now(), 0.25)


@pytest.mark.parametrize(
    ("error", "call", "kept"),
    [
        (Permanent("no", reason="erp-rejected", service="erp"), REFUSED, True),
        (Permanent("its answer makes no sense", reason="erp-number-changed", service="erp"), ANSWERED, True),
        (Permanent("a value is missing", reason="row-incomplete"), ANSWERED, True),
        (ValueError("a defect"), ANSWERED, True),
        (Outage("a page", reason="erp-answer-invalid", service="erp"), ANSWERED, True),
        (Transient("too late", reason="deadline-exceeded"), REFUSED, True),
        (Transient("look again", reason="not-committed-yet"), ANSWERED, False),
        (Outage("paused", reason="erp-paused", service="erp"), None, False),
    ],
)
async def test_calls_are_kept_where_a_system_has_to_do_with_the_failure(
    error: Exception, call: Call | None, kept: bool
) -> None:
    """Of attempts that fail for good, and of those that are made again because of an answer; not of others."""
    desk = Desk()
    event = await desk.dead_letter(error, call=call)
    await desk.world.ledger.close()
    assert bool(await desk.world.ledger.exchanges_of(event.event_id)) is kept


async def test_the_page_shows_them_to_those_who_may_see_payloads(caplog: pytest.LogCaptureFixture) -> None:
    """JSON in lines, with the digits as they were, and nothing of it as HTML; the log says who has looked."""
    console = Console()
    event = await console.desk.dead_letter(call=REFUSED)
    caplog.set_level("INFO")
    page = text_of(await console.ask(f"events/{event.event_id}", who="anna"))
    assert "&#34;amount&#34;: 10.50,\n  &#34;lines&#34;: []\n}" in page
    assert "<b>no" not in page
    assert "0.25 s" in page
    (said,) = (json.loads(it.getMessage()) for it in caplog.records if "payloads-shown" in it.getMessage())
    assert (said["caller"], said["eventId"], said["count"]) == ("anna", event.event_id, 1)


async def test_others_are_told_that_they_need_the_role() -> None:
    console = Console()
    event = await console.desk.dead_letter(call=REFUSED)
    page = text_of(await console.ask(f"events/{event.event_id}", who="oliver"))
    assert "Mia Wong" not in page
    assert "what came back needs the role payloads" in page


async def test_no_answer_at_all_is_said() -> None:
    console = Console()
    event = await console.desk.dead_letter(call=Call(REQUEST, None, ManualClock().now(), 20.0))
    page = text_of(await console.ask(f"events/{event.event_id}"))
    assert "Nothing came back within 20.0 seconds: whether it was done is not known." in page
