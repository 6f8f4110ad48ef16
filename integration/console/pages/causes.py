"""The failing events in groups."""

from typing import Final

from integration.console import explained
from integration.console.asking import Ask, Page, Route
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.ledger import State
from integration.ledger.problems import PROBLEM_STATES
from integration.operations.rights import Right


async def causes(parts: Parts, ask: Ask) -> Page:
    """All groups of one state; dead-lettered unless another is asked for."""
    state = ask.params.get("state") or State.DEAD_LETTERED.value
    if state not in PROBLEM_STATES:
        raise Rejected(400, "There are no causes of this state", f"There are those of {', '.join(PROBLEM_STATES)}.")
    figures = parts.desk.figures
    found = await figures.causes(await figures.series(), state)
    shows = {"found": found, "state": state, "states": PROBLEM_STATES, "title_of": explained.title,
             "reason_of": explained.reason}  # fmt: skip
    return Page("causes.html", shows)


ROUTES: Final = (Route("GET", "causes", Right.LOOK, causes),)
