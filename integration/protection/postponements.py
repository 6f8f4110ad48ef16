"""Events that a person has put off until a given time, as all instances know it."""

from datetime import datetime
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Postponed, Rejected
from integration.protection.shared_document import Content, SharedDocument
from integration.protection.shared_state import SharedState

MOST: Final = 200
"""Events that are put off at once: all of them are in one document, which an entity has to hold."""


class Postponements:
    """When each event that was put off is to be tried again; an attempt of the next two seconds may be made."""

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._document = SharedDocument("postponed", shared, clock)
        self._clock = clock

    async def check(self, event_id: str) -> None:
        """Raise `Postponed` before the event's time, `Outage` where that has never been read."""
        found = (await self._document.known()).get(event_id)
        if found is not None:
            until = datetime.fromisoformat(found["until"])
            left = (until - self._clock.now()).total_seconds()
            if left > 0:
                raise Postponed(f"{found['by']} has postponed it until {found['until']}", retry_after=left)

    async def postpone(self, event_id: str, until: datetime, *, by: str) -> None:
        """Put the event off. Raises `Rejected` (409) where too many are, and what the store raises."""

        def change(postponed: Content) -> Content:
            now = self._clock.now()
            open_ones = {name: it for name, it in postponed.items() if datetime.fromisoformat(it["until"]) > now}
            if len(open_ones) >= MOST and event_id not in open_ones:
                detail = f"{MOST} events are postponed already. To hold more back, pause their table or their system."
                raise Rejected(409, "The event cannot be postponed", detail)
            return open_ones | {event_id: {"until": iso(until), "by": by}}

        await self._document.change(change)
