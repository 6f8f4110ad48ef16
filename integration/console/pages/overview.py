"""Is all well? One sentence, then the figures, the causes, the systems, and what was done last."""

import asyncio
from typing import Any, Final

from integration.console import html
from integration.console.asking import Ask, Page, Route
from integration.console.pages import shown
from integration.console.parts import Parts
from integration.ledger import State
from integration.operations import explained
from integration.operations.bulk.model import BulkState
from integration.operations.causes import Cause, Causes
from integration.operations.rights import Right

_LARGEST: Final = 6
_LAST: Final = 6
_ACTIVE: Final = frozenset({BulkState.RUNNING, BulkState.PAUSED, BulkState.PLANNED})
_HEALTH_SECONDS: Final = 0.1
_HEALTH_KEPT_SECONDS: Final = 60.0


async def overview(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """The landing page."""
    desk = parts.desk
    series = await desk.figures.series()
    (dead, waiting, notes), (systems, tables, audit, bulks, budgets, health) = await asyncio.gather(
        asyncio.gather(desk.figures.causes(series), desk.figures.causes(series, State.WAITING.value), desk.notes.all()),
        asyncio.gather(
            desk.systems.states(),
            desk.tables.states(),
            desk.audit.page({}),
            desk.bulks.recent(),
            desk.budgets.now(),
            _health(parts),
        ),
    )
    now = parts.clock.now()
    held = [shown.system(name, state, now) for name, state in systems.items()]
    paused_tables = [shown.table(name, pause) for name, pause in tables.items() if pause]
    away = {name: what for name, what in health.items() if what != "ok"}
    return Page(
        "overview.html",
        {
            "dead": dead,
            "waiting": waiting,
            "series": series,
            "notes": notes,
            "causes": dead.causes[:_LARGEST],
            "systems": held,
            "tables": paused_tables,
            "budgets": budgets,
            "health": health,
            "sentence": sentence(dead, [it for it in held if it.mark != "ok"], away),
            "actions": audit.entries[:_LAST],
            "bulks": [
                it for it in bulks if it.state in _ACTIVE or (it.state is BulkState.FINISHED and not it.acknowledged)
            ],
            "title_of": explained.title,
        },
    )


def sentence(dead: Causes, held: list[shown.Held], away: dict[str, str]) -> dict[str, Any]:
    """Whether all is well: its mark, the sentence in large letters, and what to know about it."""
    if away:
        names = ", ".join(sorted(away))
        return {
            "mark": "bad",
            "head": f"{names} cannot be reached.",
            "more": "Events wait, and nothing accepted is lost.",
        }
    if dead.causes:
        largest = dead.causes[0]
        head = f"{html.plural(dead.total, 'event needs', 'events need')} somebody."
        return {"mark": "bad", "head": head, "more": _most(largest, dead), "cause": largest}
    if held:
        more = "Their events wait without ageing, and go on by themselves."
        return {"mark": "wait", "head": f"{', '.join(it.name for it in held)}: {held[0].state}.", "more": more}
    return {"mark": "ok", "head": "All is well.", "more": "No event needs anybody, and every system is available."}


def _most(cause: Cause, dead: Causes) -> str:
    """Why most of them fail."""
    found = explained.reason(cause.reason)
    what = found.means if found else f"Their reason is {cause.reason}."
    if dead.total == 1:
        return what
    share = "All of them" if len(dead.causes) == 1 else f"{cause.count:,} of them"
    table = f" ({cause.table})" if cause.table else ""
    return f"{share}{table} for one reason: {what}"


async def _health(parts: Parts) -> dict[str, str]:
    """What is away; what was found in the last minute where looking takes longer, as it does after a pause."""
    try:
        report = await asyncio.wait_for(parts.health.report(), _HEALTH_SECONDS)
    except TimeoutError:
        report = parts.health.last(_HEALTH_KEPT_SECONDS) or {"checks": {}}
    checks: dict[str, str] = report["checks"]
    return checks


ROUTES: Final = (Route("GET", "", Right.LOOK, overview),)
