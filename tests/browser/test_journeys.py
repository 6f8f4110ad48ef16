"""What people on call do, in a real browser."""

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from integration.console.sessions import COOKIE
from integration.ledger import State
from integration.transport import Call, Request, Response
from tests.browser.conftest import Opened
from tests.browser.sample import Sample
from tests.hostile import TEXTS


def give(page: Page, why: str) -> None:
    page.locator("details.act[open] input[name=why], form.edit input[name=why], form.plan input[name=why]").fill(why)


def act(page: Page, label: str, why: str) -> None:
    """Open the form of an action, say why, and send it."""
    page.locator("details.act > summary", has_text=re.compile(f"^{label}$")).first.click()
    give(page, why)
    page.locator("details.act[open] form button", has_text=label).click()


def test_from_the_cause_to_the_event_to_an_edit_that_completes_it(opened: Opened, sample: Sample) -> None:
    """Cause, event, an edit that the flow refuses, its correction, the difference, sent again, completed."""
    page = opened()
    page.get_by_role("link", name="all causes").click()
    page.get_by_role("link", name="ERP rejected", exact=True).click()
    page.locator("tbody a").first.click()
    expect(page.locator(".why-head")).to_contain_text("The system itself refuses the content")
    page.get_by_role("link", name="Edit and retry").click()

    page.get_by_label("amount").fill('{"money": "a lot"}')
    give(page, "The amount was typed wrongly")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("The event cannot be edited")
    expect(page.locator(".field.wrong")).to_contain_text("is not a value in the form of envelopes")
    assert sample.served.console.desk.world.queue.sent == []

    page.get_by_label("amount").fill('{"money": "12.75"}')
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".diff .del")).to_have_text([re.compile("{"), re.compile("10.50"), re.compile("}")])
    expect(page.locator(".diff .ins").nth(1)).to_contain_text('"money": "12.75"')
    assert sample.served.console.desk.world.queue.sent == []

    page.get_by_role("button", name="Send it again with these values").click()
    expect(page.get_by_role("status")).to_contain_text("sent again with your values")
    sample.served.run(sample.served.console.desk.work())
    page.reload()
    expect(page.locator(".heading .state")).to_have_text("completed")
    page.locator(".why").get_by_role("link").click()
    expect(page.locator(".heading .state")).to_have_text("resolved")
    expect(page.locator(".timeline")).to_contain_text("anna edited it and sent it again")


def test_a_second_tab_that_has_dealt_with_it_first_is_told_so(opened: Opened, sample: Sample) -> None:
    """Nothing is done twice, and the page shows what has become of the event."""
    path = f"events/{sample.order.event_id}"
    first, second = opened(path), opened(path)
    act(first, "Discard", "Nobody needs it")
    expect(first.locator(".heading .state")).to_have_text("discarded")
    act(second, "Retry", "The amount is right now")
    expect(second.get_by_role("alert")).to_contain_text("Somebody has discarded it: restore it first.")
    expect(second.locator(".heading .state")).to_have_text("discarded")
    act(second, "Restore", "It is needed after all")
    expect(second.locator(".heading .state")).to_have_text("dead-lettered")
    assert sample.served.console.desk.world.queue.sent == []


@pytest.mark.thorough
def test_many_are_planned_started_paused_and_cancelled(opened: Opened, sample: Sample) -> None:
    """The plan says what it costs; what was not sent by then is not."""
    page = opened()
    page.get_by_role("link", name="plan a retry of row-incomplete").click()
    give(page, "The amounts are filled in")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry 6 events")
    expect(page.locator(".why")).to_contain_text("It takes 6 s at 60 a minute, after the first 5 have come through.")
    expect(page.locator(".why")).to_contain_text("12 to erp")
    act(page, "Start", "The plan is as expected")
    expect(page.locator(".heading .state")).to_have_text("running")
    act(page, "Pause", "To look at the first ones")
    expect(page.locator(".heading .state")).to_have_text("paused")
    act(page, "Cancel", "It was a mistake")
    expect(page.locator(".heading .state")).to_have_text("cancelled")
    act(page, "Acknowledge", "It is planned anew")
    expect(page.locator(".lead")).to_contain_text("anna has taken note of its end.")
    expect(page.locator(".actions details")).to_have_count(0)
    assert sample.served.console.desk.world.queue.sent == []


def test_what_a_reader_may_not_do_is_shown_with_its_reason_and_refused(opened: Opened, sample: Sample) -> None:
    """The buttons only say it: the app itself refuses, whatever is sent."""
    path = f"events/{sample.order.event_id}"
    page = opened(path, who="rita")
    for label, needs in (("Retry", "operator"), ("Force", "administrator"), ("Discard", "administrator")):
        button = page.get_by_role("button", name=label, exact=True)
        expect(button).to_be_disabled()
        expect(button).to_have_accessible_description(f"needs the role {needs}")
    (cookie,) = (it for it in page.context.cookies() if it["name"] == COOKIE)
    for action in ("retry", "force", "discard", "edit"):
        answer = requests.post(
            f"{sample.address(path)}/{action}",
            {"why": "I want to"},
            headers={"Cookie": f"{COOKIE}={cookie['value']}", "Sec-Fetch-Site": "same-origin"},
            timeout=30,
        )
        assert answer.status_code == 403, action
    status = sample.served.run(sample.served.console.desk.world.ledger.read(sample.order.event_id))
    assert status.state is State.DEAD_LETTERED


def test_everything_can_be_done_without_a_script(opened: Opened, sample: Sample) -> None:
    """Signing in with a key, reading, finding, and sending an event again."""
    page = opened(who="", script=False)
    page.get_by_label("Operations key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not, or no longer, one of the app's operations keys")
    page.get_by_label("Operations key").fill("anna-operations-key-0123456789")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("searchbox").fill(sample.order.event_id)
    page.get_by_role("button", name="Find").click()
    act(page, "Retry", "The ERP was repaired")
    expect(page.get_by_role("status")).to_contain_text("It was sent again")
    (sent,) = sample.served.console.desk.world.queue.sent
    assert sent.replay_of == sample.order.event_id


ODD = (
    "\u202e\u2066right to left\u2069",
    str(2**63),
    "﷽" * 50 + "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A" * 20,
    "W" * 5_000,
)
"""What is hard to set, however harmless."""


@pytest.mark.thorough
def test_what_others_write_is_shown_and_does_nothing(opened: Opened, sample: Sample) -> None:
    """In reasons, details, notes, names, values, headers, file names, requests and answers, and in what is searched."""
    console, page = sample.served.console, opened()
    for text in (*TEXTS, *ODD):
        whole = text[:15_000].encode(errors="replace").decode()
        sent = Request("erp", "put", "PUT", f"https://erp.example/{whole[:60]}", body=whole.encode())
        answer = Response(sent, 422, {"content-disposition": f'attachment; filename="{whole[:99]}"'}, whole.encode())
        call = Call(sent, answer, console.desk.world.clock.now(), 0.2)
        original = sample.served.run(console.desk.dead_letter(call=call, values={"note": whole}, caller=whole[:200]))
        table = console.desk.table("events202611")
        key = next(it for it in table.entities if it[1] == original.event_id)
        table.entities[key] |= {"detail": whole[:1_000], "system": whole[:100], "correlationId": whole[:90]}
        console.desk.letters.put(whole.encode(), cause=whole[:100])
        page.goto(sample.address(f"events/{original.event_id}"))
        act(page, "Discard", whole.replace("\x00", "")[:400])
        check(page)
        act(page, "Restore", "again")
        page.goto(sample.address(f"events/{original.event_id}/edit"))
        expect(page.get_by_label("note")).to_be_visible()
        page.get_by_role("searchbox").fill(whole.replace("\x00", "")[:300])
        page.get_by_role("button", name="Find").click()
        check(page)
    causes = sample.served.run(console.services.causes.now()).causes
    for cause, text in zip(causes, TEXTS, strict=False):
        whole = text[:400].encode(errors="replace").decode()
        sample.served.run(console.services.notes.write(cause.key, text=whole, assignee=whole[:100], by=whole[:100]))
    for path in ("", "causes", "queue", "audit", "systems", "events?state=dead-lettered"):
        page.goto(sample.address(path))
        check(page)


_TOO_WIDE = """[...document.querySelectorAll("main *")].filter(it => it.getBoundingClientRect().right > 1281)
  .map(it => it.outerHTML.slice(0, 200))"""


def check(page: Page) -> None:
    """It stands, nothing ran, and it is no wider than its window."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("window.refused") == []
    wide = page.evaluate(_TOO_WIDE)
    assert wide == [], page.url
