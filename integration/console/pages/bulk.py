"""Many events at once: the plan and its cost, the first few, the others at a rate, and the summary."""

import json
from collections.abc import Mapping
from typing import Final

from integration.console import html
from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.operations import explained
from integration.operations.bulk import possible, right_for
from integration.operations.bulk.model import Action, Bulk
from integration.operations.bulk.planner import DEFAULT_CANARY, Wanted
from integration.operations.bulk.store import LISTED
from integration.operations.requests import NARROWED, read_filter
from integration.operations.rights import Right


async def listed(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """Those of this month and the last one."""
    return Page("bulks.html", {"bulks": await parts.desk.bulks.recent()})


async def form(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """What is to be planned."""
    return _form(ask.params)


async def plan(parts: Parts, ask: Ask) -> Answer:
    """Make the plan; nothing is done yet."""
    try:
        action = Action(ask.form.get("action", ""))
        force = bool(ask.form.get("force"))
        ask.person.check(right_for(action, force=force))
        wanted = Wanted(
            action,
            read_filter({name: ask.form.get(name, "") for name in NARROWED}),
            canary=_whole(ask.form.get("canary", ""), DEFAULT_CANARY[action]) if action is Action.RETRY else 0,
            per_minute=_whole(ask.form.get("per_minute", ""), 60),
            force=force,
        )
        made = await parts.desk.planner.plan(wanted, by=ask.person.name, why=ask.why)
    except ValueError:
        refused = Rejected(400, "This cannot be planned", "Choose retry or discard; give whole numbers.")
        return _form(ask.form, refused)
    except Rejected as refused:
        return _form(ask.form, refused)
    return Redirect(address("bulk", made.bulk.bulk_id, said="planned"))


async def one(parts: Parts, ask: Ask) -> Page:
    """How far it is, or what the plan says."""
    return await _page(parts, ask.place["bulk_id"], ask)


async def change(parts: Parts, ask: Ask) -> Answer:
    """Start it, pause it, let it go on, cancel it, or take note of its end."""
    bulks, bulk_id, action = parts.desk.bulks, ask.place["bulk_id"], ask.place["action"]
    if action not in bulks.actions:
        raise Rejected(404, "There is no such page", f"A bulk operation can be asked to {', '.join(bulks.actions)}.")
    ask.person.check(right_for((await bulks.read(bulk_id)).action))
    try:
        await bulks.actions[action](bulk_id, by=ask.person.name, why=ask.why)
    except Rejected as refused:
        return await _page(parts, bulk_id, ask, refused)
    return Redirect(address("bulk", bulk_id, said=action))


async def _page(parts: Parts, bulk_id: str, ask: Ask, refused: Rejected | None = None) -> Page:
    bulk, items = await parts.desk.bulks.read_with_items(bulk_id, after=ask.params.get("after", ""))
    ended = bulk.total - bulk.pending - bulk.sent
    return Page.after(
        refused,
        "bulk.html",
        {
            "bulk": bulk,
            "plan": json.loads(bulk.plan),
            "selection": json.loads(bulk.selection),
            "items": items,
            "following": address("bulk", bulk_id, after=items[-1].event_id) if len(items) == LISTED else "",
            "counts": bulk.counts,
            "ended": ended,
            "percent": round(100 * ended / bulk.total) if bulk.total else 0,
            "left": _left(bulk),
            "can": possible(bulk) - ({"acknowledge"} if bulk.acknowledged else set()),
            "needs": right_for(bulk.action).value,
            "title_of": explained.title,
            "duration": html.duration,
        },
    )


def _left(bulk: Bulk) -> str:
    """How long the rest takes at the rate of the plan."""
    return html.duration(bulk.pending * 60 / bulk.per_minute) if bulk.pending and bulk.per_minute else ""


def _form(given: Mapping[str, str], refused: Rejected | None = None) -> Page:
    names = (*NARROWED, "action", "canary", "per_minute", "force")
    return Page.after(refused, "bulk_plan.html", {"given": {name: given.get(name, "") for name in names}})


def _whole(text: str, usual: int) -> int:
    return int(text) if text.strip() else usual


ROUTES: Final = (
    Route("GET", "bulk", Right.LOOK, listed),
    Route("GET", "bulk/plan", Right.REPAIR, form),
    Route("POST", "bulk/plan", Right.REPAIR, plan),
    Route("GET", "bulk/{bulk_id}", Right.LOOK, one),
    Route("POST", "bulk/{bulk_id}/{action}", Right.REPAIR, change),
)
