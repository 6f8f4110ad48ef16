"""One event: what happened to it, why it stands where it stands, and what can be done."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from integration.console import timeline
from integration.console.asking import Answer, Ask, Page, Redirect, Route, address, read_time
from integration.console.pages import shown
from integration.console.parts import Parts
from integration.errors import Fault, Rejected
from integration.ledger.exchanges import Exchange
from integration.operations import explained
from integration.operations.lookup import Looked
from integration.operations.originals import possible
from integration.operations.rights import Right

_Act = Callable[[Parts, Ask, str], Awaitable[str]]
"""Does what a form asks for to an event; returns the address of the page to look at then."""


async def event(parts: Parts, ask: Ask) -> Page:
    """The event's page."""
    return await _page(parts, ask)


async def _page(parts: Parts, ask: Ask, refused: Rejected | None = None) -> Page:
    """The event as it is now; `refused` is why what was just asked for was not done."""
    event_id, person = ask.place["event_id"], ask.person
    looked = await parts.desk.lookup.event(event_id)
    exchanges = await parts.desk.exchanges.of_event(event_id, person) if person.may(Right.PAYLOADS) else ()
    return Page.after(refused, "event.html", _shown(parts, looked, exchanges))


def _shown(parts: Parts, looked: Looked, exchanges: Sequence[Exchange]) -> Mapping[str, Any]:
    status, links = looked.status, parts.links
    return {
        "exchanges": exchanges,
        "event": status,
        "mark": shown.MARKS[status.state.value],
        "marks": shown.MARKS,
        "why": explained.why(status),
        "advice": explained.advice(status),
        "retry": explained.retry(status, looked.effects, looked.carried),
        "title_of": explained.title,
        "moments": timeline.of(status, looked.actions),
        "near": looked.near,
        "carried": sorted(looked.carried),
        "row": links.row(status.table, status.record_id),
        "trace": links.trace(status),
        "can": possible(status) - (set() if status.table and status.message else {"retry"}),
    }


async def _retry(parts: Parts, ask: Ask, event_id: str) -> str:
    new_id = await parts.desk.repair.retry(event_id, by=ask.person.name, why=ask.why)
    return address("events", new_id, said="retried")


async def _force(parts: Parts, ask: Ask, event_id: str) -> str:
    new_id = await parts.desk.repair.retry(event_id, by=ask.person.name, why=ask.why, force=True)
    return address("events", new_id, said="forced")


async def _discard(parts: Parts, ask: Ask, event_id: str) -> str:
    await parts.desk.repair.discard(event_id, by=ask.person.name, why=ask.why)
    return address("events", event_id, said="discarded")


async def _restore(parts: Parts, ask: Ask, event_id: str) -> str:
    await parts.desk.repair.restore(event_id, by=ask.person.name, why=ask.why)
    return address("events", event_id, said="restored")


async def _postpone(parts: Parts, ask: Ask, event_id: str) -> str:
    try:
        until = read_time(ask.form.get("until", ""))
    except ValueError:
        fault = Fault("/until", "is not a time such as 2026-11-20T18:00")
        raise Rejected(400, "The event cannot be postponed", "Name a time.", faults=(fault,)) from None
    await parts.desk.postpone.postpone(event_id, until, by=ask.person.name, why=ask.why)
    return address("events", event_id, said="postponed")


def _posted(act: _Act) -> Callable[[Parts, Ask], Awaitable[Answer]]:
    """The route of a form: afterwards the page to look at, or the event as it is now with the refusal above it."""

    async def posted(parts: Parts, ask: Ask) -> Answer:
        event_id = ask.place["event_id"]
        try:
            to = await act(parts, ask, event_id)
        except Rejected as refused:
            if refused.status == 404:
                raise
            return await _page(parts, ask, refused)
        finally:
            parts.desk.causes.forget()
        return Redirect(to)

    return posted


ROUTES: Final = (
    Route("GET", "events/{event_id}", Right.LOOK, event),
    Route("POST", "events/{event_id}/retry", Right.REPAIR, _posted(_retry)),
    Route("POST", "events/{event_id}/postpone", Right.REPAIR, _posted(_postpone)),
    Route("POST", "events/{event_id}/force", Right.ADMINISTER, _posted(_force)),
    Route("POST", "events/{event_id}/discard", Right.ADMINISTER, _posted(_discard)),
    Route("POST", "events/{event_id}/restore", Right.ADMINISTER, _posted(_restore)),
)
