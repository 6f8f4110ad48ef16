"""The start page as HTML."""

from sandbox.watching import page
from sandbox.watching.snapshot import Table

EVENT = "202611261357-da18f539febca04437a8b271c93824c3"


def test_what_comes_from_outside_is_escaped() -> None:
    """Names of rows and answers of systems are anybody's text."""
    html = page.changing([Table("T", ("about",), [("<script>alert(1)</script> & co",)])])
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


def test_an_event_is_short_and_leads_to_its_page() -> None:
    table = Table("Events", ("event", "state"), [(EVENT, "completed")], state_column=1, link_column=0)
    html = page.changing([table])
    assert f'<a href="/events/{EVENT}">febca044</a>' in html
    assert '<span class="state completed">completed</span>' in html


def test_an_empty_table_and_one_that_cannot_be_asked_say_so() -> None:
    html = page.changing([Table("A", ("x",), empty="None."), Table("B", ("x",), empty="None.", problem="It is away.")])
    assert html.count("None.") == 1
    assert "It is away." in html


def test_an_event_that_the_ledger_does_not_have_is_said_to_be_missing() -> None:
    assert f"The ledger has no event {EVENT}" in page.event(None, EVENT)
