"""Search: by what somebody has pasted, and by filters that stand in the address."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from integration.console import found
from integration.console.asking import Answer, Ask, Page, Redirect, Route, address, read_time
from integration.console.pages import shown
from integration.console.parts import Parts
from integration.errors import Rejected
from integration.events import kept_correlation_id
from integration.ledger import EventStatus, State
from integration.operations import explained
from integration.operations.requests import NARROWED, read_filter
from integration.operations.rights import Right
from integration.operations.search import EventPage, Filter

_FILTERS: Final = (*NARROWED, "correlation_id")
_HOURS: Final = {"1": "the last hour", "6": "the last 6 hours", "24": "the last day", "48": "the last 2 days"}


async def search(parts: Parts, ask: Ask) -> Answer:
    """Events that match; a text that names one event leads to it."""
    text = ask.params.get("q", "").strip()
    if text:
        wanted = found.read(text)
        if wanted.event_id:
            return Redirect(address("events", wanted.event_id))
        page, says = EventPage(await _any(parts, wanted)), ""
        if len(page.events) == 1:
            return Redirect(address("events", page.events[0].event_id))
    else:
        page, says = await _filtered(parts, ask.params)
    return Page("events.html", _shown(ask, page, says))


async def _any(parts: Parts, wanted: found.Wanted) -> list[EventStatus]:
    """Events of the record or with the correlation id; of a record without a table, in every table.

    If there are none, Dataverse is asked for the row that has this as its number in another system.
    """
    search = parts.desk.search
    if wanted.record:
        return (await search.events(Filter(table=wanted.table, record_id=wanted.record))).events
    tables = await parts.desk.tables.states()
    asked = [Filter(table=name, record_id=wanted.any_id) for name in tables]
    if (correlation := kept_correlation_id(wanted.any_id)) is not None:
        asked.append(Filter(correlation_id=correlation))
    pages = await asyncio.gather(*(search.events(it) for it in asked))
    events = {it.event_id: it for page in pages for it in page.events}
    if not events and not found.is_guid(wanted.any_id):
        return (await search.events(Filter(number=wanted.any_id))).events
    return sorted(events.values(), key=lambda it: it.event_id, reverse=True)


async def _filtered(parts: Parts, params: Mapping[str, str]) -> tuple[EventPage, str]:
    """By the filters of the address; what is wrong with them is said beside the form."""
    given = {name: params[name].strip() for name in _FILTERS if params.get(name, "").strip()}
    hours = params.get("hours", "")
    state = given.get("state", "")
    if hours in _HOURS:
        given["from"] = (parts.clock.now() - timedelta(hours=int(hours))).isoformat()
    elif state and state not in (State.DEAD_LETTERED.value, State.WAITING.value) and "from" not in given:
        given["from"] = (parts.clock.now() - timedelta(hours=1)).isoformat()
    for name in ("from", "to"):
        if name in given:
            given[name] = _with_offset(given[name])
    try:
        return await parts.desk.search.events(read_filter(given), following=params.get("following", "")), ""
    except Rejected as refused:
        faults = " ".join(f"{it.pointer} {it.detail}." for it in refused.faults)
        return EventPage([]), f"{refused.detail} {faults}".strip()


def _with_offset(text: str) -> str:
    """The time with an offset; what is no time stays as it is, and is refused with the other filters."""
    try:
        return read_time(text).isoformat()
    except ValueError:
        return text


def _shown(ask: Ask, page: EventPage, says: str) -> Mapping[str, object]:
    kept = {name: value for name, value in ask.params.items() if name in {*_FILTERS, "hours", "q"} and value}
    following = address("events", **kept, following=page.following) if page.following else ""
    return {
        "events": page.events,
        "says": says,
        "filters": {name: ask.params.get(name, "") for name in (*_FILTERS, "hours")},
        "hours": _HOURS,
        "states": [it.value for it in State],
        "marks": shown.MARKS,
        "following": following,
        "title_of": explained.title,
    }


ROUTES: Final = (Route("GET", "events", Right.LOOK, search),)
