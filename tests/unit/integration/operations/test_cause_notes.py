"""What people write down about a cause: kept with it, shown with it, and in the audit as it was and as it is."""

import json

import pytest

from integration.errors import Permanent, Rejected
from integration.operations.cause_notes import CauseKey
from tests.unit.integration.operations.console_kit import Console, text_of

KEY = CauseKey("erp-rejected", "erp", "opportunity")
NOTED = {"reason": "erp-rejected", "system": "erp", "table": "opportunity"}


async def with_two_causes() -> Console:
    console = Console()
    await console.desk.dead_letter()
    await console.desk.dead_letter(Permanent("empty", reason="row-incomplete"))
    return console


async def test_a_note_is_shown_with_its_cause_on_both_pages() -> None:
    """With its text as text, and who has written it."""
    console = await with_two_causes()
    form = {**NOTED, "note": "the <b>ERP</b> team looks at it", "assignee": "mara"}
    answer = await console.ask("causes/note?state=dead-lettered", form, who="oliver")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/api/console/causes?state=dead-lettered&said=noted",
    )
    for path in ("causes", ""):
        page = text_of(await console.ask(path))
        assert "<b>mara</b> takes care of it: the &lt;b&gt;ERP&lt;/b&gt; team looks at it" in page
        assert page.count('class="note"') == 1


async def test_causes_are_listed_by_who_takes_care_of_them() -> None:
    console = await with_two_causes()
    await console.services.notes.write(KEY, text="", assignee="oliver", by="anna")
    mine = text_of(await console.ask("causes?assignee=oliver", who="oliver"))
    assert ("erp-rejected" in mine, "row-incomplete" in mine) == (True, False)
    others = text_of(await console.ask("causes?assignee=-", who="oliver"))
    assert ("erp-rejected" in others, "row-incomplete" in others) == (False, True)
    assert "No cause of this state is of mara." in text_of(await console.ask("causes?assignee=mara"))


async def test_the_audit_has_the_note_as_it_was_and_as_it_is() -> None:
    console = await with_two_causes()
    notes = console.services.notes
    await notes.write(KEY, text="who knows?", assignee="", by="anna")
    await notes.write(KEY, text="the period is closed", assignee="mara", by="oliver")
    await notes.write(KEY, text="", assignee="", by="mara")
    assert await notes.all() == {}
    said = [(it["who"], it["what"], it["reason"], it["why"], it["outcome"]) for it in console.desk.audited]
    assert said == [
        ("anna", "note", "erp-rejected", "who knows?", "done"),
        ("oliver", "note", "erp-rejected", "the period is closed", "done"),
        ("mara", "note", "erp-rejected", "the note is removed", "done"),
    ]
    assert json.loads(str(console.desk.audited[1]["changes"])) == [
        {"name": "note", "before": "who knows?", "after": "the period is closed"},
        {"name": "assignee", "before": "", "after": "mara"},
    ]
    page = text_of(await console.ask("audit"))
    assert "who knows? → the period is closed" in page
    assert "mara → nothing" in page


async def test_a_reader_cannot_note_anything() -> None:
    """The button says what it needs, and the form is refused."""
    console = await with_two_causes()
    assert "needs the role operator" in text_of(await console.ask("causes", who="rita"))
    assert (await console.ask("causes/note", NOTED | {"note": "x"}, who="rita")).status_code == 403
    assert await console.services.notes.all() == {}


@pytest.mark.parametrize(("text", "assignee"), [("x" * 501, ""), ("x", "y" * 101), ("x", "-")])
async def test_what_is_too_long_or_nobodys_name_is_refused(text: str, assignee: str) -> None:
    console = await with_two_causes()
    with pytest.raises(Rejected):
        await console.services.notes.write(KEY, text=text, assignee=assignee, by="anna")
    answer = await console.ask("causes/note", {**NOTED, "note": text, "assignee": assignee})
    assert (answer.status_code, "This cannot be noted" in text_of(answer)) == (400, True)
