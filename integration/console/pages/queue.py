"""The broker's dead-letter queue beside the ledger: what one has and the other does not."""

from typing import Final

from integration.console.asking import Answer, Ask, Page, Redirect, Route, address
from integration.console.parts import Parts
from integration.operations import explained
from integration.operations.rights import Right


async def queue(parts: Parts, ask: Ask) -> Page:  # noqa: ARG001 -- as all pages
    """The messages that the broker has, beside what the ledger says of their events."""
    compared = await parts.desk.comparison.look()
    return Page("queue.html", {"compared": compared, "title_of": explained.title})


async def repair(parts: Parts, ask: Ask) -> Answer:
    """Bring both together: the same as the timer does every minute, at once and for all of the queue."""
    await parts.desk.comparison.repair(by=ask.person.name, why=ask.why)
    parts.desk.causes.forget()
    return Redirect(address("queue", said="compared"))


ROUTES: Final = (
    Route("GET", "queue", Right.LOOK, queue),
    Route("POST", "queue/repair", Right.REPAIR, repair),
)
