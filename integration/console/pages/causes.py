"""The failing events in groups, what people have written down about them, and who takes care of them."""

from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.ledger import State
from integration.ledger.problems import PROBLEM_STATES
from integration.operations import explained
from integration.operations.cause_notes import LONGEST_NAME, LONGEST_TEXT, NOBODY, CauseKey
from integration.operations.rights import Right


async def causes(parts: Parts, ask: Ask) -> Page:
    """All groups of one state; dead-lettered unless another is asked for."""
    return await _page(parts, ask)


async def note(parts: Parts, ask: Ask) -> Answer:
    """Write down what is known of a cause, and who takes care of it."""
    form = ask.form
    key = CauseKey(form.get("reason", ""), form.get("system", ""), form.get("table", ""))
    try:
        await parts.desk.notes.write(
            key, text=form.get("note", ""), assignee=form.get("assignee", ""), by=ask.person.name
        )
    except Rejected as refused:
        return await _page(parts, ask, refused)
    state = ask.params.get("state")
    return Redirect(address("causes", state=state, assignee=ask.params.get("assignee"), said="noted"))


async def _page(parts: Parts, ask: Ask, refused: Rejected | None = None) -> Page:
    state, assignee = ask.params.get("state") or State.DEAD_LETTERED.value, ask.params.get("assignee", "")
    if state not in PROBLEM_STATES:
        raise Rejected(400, "There are no causes of this state", f"There are those of {', '.join(PROBLEM_STATES)}.")
    figures = parts.desk.figures
    found, notes = await figures.causes(await figures.series(), state), await parts.desk.notes.all()
    shows = {
        "found": found.of(assignee, notes),
        "notes": notes,
        "assignee": assignee,
        "assignees": {"": "all", ask.person.name: "mine", NOBODY: "nobody's"},
        "state": state,
        "states": PROBLEM_STATES,
        "title_of": explained.title,
        "reason_of": explained.reason,
        "longest": {"note": LONGEST_TEXT, "assignee": LONGEST_NAME},
    }
    return Page.after(refused, "causes.html", shows)


ROUTES: Final = (Route("GET", "causes", Right.LOOK, causes), Route("POST", "causes/note", Right.REPAIR, note))
