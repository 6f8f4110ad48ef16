"""Every page, as people see it: accessible, readable on a small screen, and nothing that its own policy refuses."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Opened
from tests.browser.sample import Sample

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, axe: str, **options: Any) -> list[str]:
    """What axe finds, with the elements."""
    page.evaluate(axe)
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{it['id']}: {node['target']} {node['failureSummary']}" for it in found["violations"] for node in it["nodes"]
    ]


QUICK = ("overview", "event", "edit")


def test_the_pages_that_are_used_most_have_no_violation_of_accessibility(
    opened: Opened, sample: Sample, axe: str
) -> None:
    """All rules of WCAG 2.2 AA that can be checked by a program; in dark those of colour, the rest being the same."""
    assert found_on(opened(), {name: sample.pages()[name] for name in QUICK}, sample, axe) == []


@pytest.mark.thorough
def test_no_page_has_a_violation_of_accessibility(opened: Opened, sample: Sample, axe: str) -> None:
    assert found_on(opened(), sample.pages(), sample, axe) == []


def found_on(page: Page, pages: Mapping[str, str], sample: Sample, axe: str) -> list[str]:
    """The violations on these pages, in light and in dark."""
    found = []
    for name, path in pages.items():
        page.goto(sample.address(path))
        found += [f"{name}: {it}" for it in violations(page, axe, runOnly=_TAGS)]
        page.emulate_media(color_scheme="dark")
        found += [f"{name}, dark: {it}" for it in violations(page, axe, runOnly=["color-contrast"])]
        page.emulate_media(color_scheme="light")
    return found


@pytest.mark.thorough
def test_an_open_form_and_a_refusal_have_no_violation_either(opened: Opened, sample: Sample, axe: str) -> None:
    page = opened(f"events/{sample.example('row-incomplete')}")
    page.locator("details.act summary", has_text="Discard").click()
    assert violations(page, axe, runOnly=_TAGS) == []
    page = opened(f"events/{sample.order.event_id}/edit")
    page.get_by_label("amount").fill("not json")
    page.get_by_label("Why?").fill("The amount was wrong")
    page.get_by_role("button", name="Check").click()
    assert violations(page, axe, runOnly=_TAGS) == []


@pytest.mark.thorough
def test_no_page_is_wider_than_a_small_telephone(opened: Opened, sample: Sample) -> None:
    """320 pixels, which is a screen of 1280 at four times its size (WCAG 2.2, 1.4.10 Reflow)."""
    page = opened(width=320)
    wide = []
    for name, path in sample.pages().items():
        page.goto(sample.address(path))
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(name)
    assert wide == []


def test_the_first_tab_leads_past_the_head_and_what_has_the_focus_can_be_seen(opened: Opened) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("who", ["anna", "rita"])
def test_the_overview_says_first_what_is_wrong(opened: Opened, who: str) -> None:
    page = opened(who=who)
    assert page.get_by_role("heading", level=1).inner_text() == "37 events need somebody."
    assert "a period that is closed in the ERP" in page.locator(".hero").inner_text()
