"""The systems and the tables: which are held back, by whom or by what, and how that ends; and debug detail."""

from datetime import timedelta
from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.pages import shown
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.operations.rights import Right

_MINUTES: Final = {"15": "15 minutes", "60": "an hour", "240": "four hours", "1440": "a day"}
"""For how long debug detail can be turned on, in minutes."""


async def systems(parts: Parts, ask: Ask) -> Page:
    """All of them."""
    return await _page(parts, ask)


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
        return await _page(parts, ask, refused)
    return Redirect(address("systems", said=f"{action}d"))


async def debug(parts: Parts, ask: Ask) -> Answer:
    """Turn debug detail of a correlation id on, or off."""
    action, correlation_id = ask.place["action"], ask.form.get("correlation_id", "")
    if action not in ("on", "off"):
        raise Rejected(404, "There is no such page", "Debug detail can be turned on for a time, and off.")
    control, by = parts.desk.detail, ask.person.name
    try:
        if action == "off":
            await control.turn_off(correlation_id, by=by, why=ask.why)
        else:
            minutes = ask.form.get("minutes", "")
            lasts = timedelta(minutes=int(minutes if minutes in _MINUTES else "60"))
            await control.turn_on(correlation_id, lasts, by=by, why=ask.why)
    except Rejected as refused:
        return await _page(parts, ask, refused)
    return Redirect(address("systems", said=f"debug-{action}"))


async def _page(parts: Parts, ask: Ask, refused: Rejected | None = None) -> Page:
    now = parts.clock.now()
    states, tables = await parts.desk.systems.states(), await parts.desk.tables.states()
    shows = {
        "systems": [shown.system(name, state, now) for name, state in states.items()],
        "budgets": await parts.desk.budgets.now(),
        "tables": [shown.table(name, pause) for name, pause in tables.items()],
        "details": await parts.desk.detail.running(),
        "minutes": _MINUTES,
        "correlation_id": ask.form.get("correlation_id") or ask.params.get("correlation_id", ""),
    }
    return Page.after(refused, "systems.html", shows)


ROUTES: Final = (
    Route("GET", "systems", Right.LOOK, systems),
    Route("POST", "systems/debug/{action}", Right.REPAIR, debug),
    Route("POST", "systems/{kind}/{name}/{action}", Right.REPAIR, change),
)
