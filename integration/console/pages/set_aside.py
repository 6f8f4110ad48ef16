"""The rows that sinks of analytics have set aside: how many and why, one by one, and what can be done with them."""

from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.operations import explained
from integration.operations.rights import Right
from integration.operations.set_aside import MOST_AT_ONCE, Chosen


async def set_aside(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """The rows in groups, by sink and reason."""
    return await _groups(parts)


async def rows(parts: Parts, ask: Ask) -> Page:
    """The rows of a sink, or those of a reason."""
    desk, sink, reason = parts.desk.set_aside, ask.place["sink"], ask.params.get("reason", "")
    page = await desk.page(sink, reason=reason, following=ask.params.get("following", ""))
    following = address("set-aside", sink, reason=reason, following=page.following) if page.following else ""
    return Page("set_aside_rows.html", {"sink": sink, "reason": reason, "rows": page.rows, "following": following})


async def row(parts: Parts, ask: Ask) -> Page:
    """One row, its reason, and what it carries for people with the right to see that."""
    return await _row(parts, ask)


async def retry(parts: Parts, ask: Ask) -> Answer:
    """Give rows to their sink again."""
    chosen = _chosen(ask)
    try:
        dealt = await parts.desk.set_aside.retry(chosen, by=ask.person.name, why=ask.why)
    except Rejected as refused:
        return await _again(parts, ask, chosen, refused)
    if dealt.refused:
        said = f"It has taken {dealt.done}, and refused {dealt.refused}: their reasons are those of this time now."
        return await _again(parts, ask, chosen, Rejected(409, "The sink has refused rows again", said))
    return Redirect(address("set-aside", said="rows-left" if dealt.left else "rows-taken"))


async def discard(parts: Parts, ask: Ask) -> Answer:
    """Forget rows for good."""
    chosen = _chosen(ask)
    try:
        dealt = await parts.desk.set_aside.discard(chosen, by=ask.person.name, why=ask.why)
    except Rejected as refused:
        return await _again(parts, ask, chosen, refused)
    return Redirect(address("set-aside", said="rows-left" if dealt.left else "rows-discarded"))


def _chosen(ask: Ask) -> Chosen:
    return Chosen(ask.place["sink"], ask.form.get("reason", ""), ask.form.get("row", ""))


async def _again(parts: Parts, ask: Ask, chosen: Chosen, refused: Rejected) -> Page:
    """The page that the form stood on, with what was refused."""
    if chosen.row_id and refused.status != 404:
        return await _row(parts, ask, refused, chosen.row_id)
    return await _groups(parts, refused)


async def _groups(parts: Parts, refused: Rejected | None = None) -> Page:
    desk = parts.desk.set_aside
    found = await desk.groups()
    shows = {
        "groups": found,
        "on": {it.sink: desk.is_on(it.sink) for it in found},
        "most": MOST_AT_ONCE,
        "reason_of": explained.reason,
    }
    return Page.after(refused, "set_aside.html", shows)


async def _row(parts: Parts, ask: Ask, refused: Rejected | None = None, row_id: str = "") -> Page:
    desk, sink = parts.desk.set_aside, ask.place["sink"]
    found = await desk.one(sink, row_id or ask.place["row"], ask.person)
    known = explained.reason(found.refused.reason)
    shows = {"sink": sink, "it": found, "row": found.refused.row, "known": known, "on": desk.is_on(sink)}
    return Page.after(refused, "set_aside_row.html", shows)


ROUTES: Final = (
    Route("GET", "set-aside", Right.LOOK, set_aside),
    Route("GET", "set-aside/{sink}", Right.LOOK, rows),
    Route("GET", "set-aside/{sink}/{row}", Right.LOOK, row),
    Route("POST", "set-aside/{sink}/retry", Right.REPAIR, retry),
    Route("POST", "set-aside/{sink}/discard", Right.ADMINISTER, discard),
)
