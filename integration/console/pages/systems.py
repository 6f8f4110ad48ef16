"""The systems and the tables: which are held back, by whom or by what, and how that ends."""

from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.pages import shown
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.operations.rights import Right


async def systems(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """All of them."""
    return await _page(parts)


async def change(parts: Parts, ask: Ask) -> Answer:
    """Pause one, or let it go on."""
    kind, name, action = ask.place["kind"], ask.place["name"], ask.place["action"]
    if kind not in ("systems", "tables") or action not in ("pause", "resume"):
        raise Rejected(404, "There is no such page", "A system or a table can be paused and resumed.")
    control = parts.desk.systems if kind == "systems" else parts.desk.tables
    do = control.pause if action == "pause" else control.resume
    try:
        await do(name, by=ask.person.name, why=ask.why)
    except Rejected as refused:
        return await _page(parts, refused)
    return Redirect(address("systems", said=f"{action}d"))


async def _page(parts: Parts, refused: Rejected | None = None) -> Page:
    now = parts.clock.now()
    states, tables = await parts.desk.systems.states(), await parts.desk.tables.states()
    shows = {
        "systems": [shown.system(name, state, now) for name, state in states.items()],
        "budgets": await parts.desk.budgets.now(),
        "tables": [shown.table(name, pause) for name, pause in tables.items()],
    }
    return Page.after(refused, "systems.html", shows)


ROUTES: Final = (
    Route("GET", "systems", Right.LOOK, systems),
    Route("POST", "systems/{kind}/{name}/{action}", Right.REPAIR, change),
)
