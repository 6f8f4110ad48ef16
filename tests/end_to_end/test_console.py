"""The console as the Functions host serves it, in a real browser; the journeys in detail are in tests/browser."""

from playwright.sync_api import Browser, expect

from sandbox.client import Client
from sandbox.running.console import ticket
from sandbox.running.endpoints import Endpoints
from tests.browser.conftest import browser
from tests.end_to_end.journeys import Person

__all__ = ["browser"]


def test_a_dead_letter_is_found_and_repaired_in_a_browser(
    browser: Browser, client: Client, endpoints: Endpoints
) -> None:
    """Signed in by a ticket of the sandbox; the retry is worked on, and the page shows that it has made up for it."""
    person = Person(client)
    odd = client.dataverse.create(
        "transactioncurrency", {"currencyname": "Odd", "currencysymbol": "?", "exchangerate": 1}
    )
    opportunity, original = person.opportunity(person.account(), 100, currency=odd)
    client.app.wait_for(original)
    client.dataverse.update("transactioncurrency", odd, {"isocurrencycode": "CHF"})

    page = browser.new_page()
    page.goto(ticket(endpoints))
    expect(page.get_by_role("heading", level=1)).to_contain_text("need")
    page.get_by_role("searchbox").fill(f"https://x.crm4.dynamics.com/main.aspx?etn=opportunity&id={opportunity}")
    page.get_by_role("button", name="Find").click()
    page.locator(f"a[href$='{original}']").or_(page.locator(".heading")).first.wait_for()
    page.goto(f"{endpoints.functions}/api/console/events/{original}")
    expect(page.locator(".why-head")).to_contain_text("has no ISO code")
    page.locator("details.act > summary", has_text="Retry").click()
    page.locator("details.act[open] input[name=why]").fill("The currency has its code now")
    page.locator("details.act[open] form button").click()
    expect(page.get_by_role("status")).to_contain_text("It was sent again")
    client.app.wait_for(page.url.rpartition("/")[2].partition("?")[0])
    client.app.wait_for(original, {"resolved"})
    page.goto(f"{endpoints.functions}/api/console/events/{original}")
    expect(page.locator(".heading .state")).to_have_text("resolved")
    expect(page.locator(".timeline")).to_contain_text("support sent it again")
    page.close()
