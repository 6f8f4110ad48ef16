"""Events that a person has postponed until a given time; all instances share the list."""

from datetime import datetime
from typing import Final

from integration.clock import Clock, iso
from integration.errors import Postponed, Rejected
from integration.protection.shared_document import Content, SharedDocument
from integration.protection.shared_state import SharedState

MOST: Final = 200
"""The most events that are postponed at the same time: all of them are in one document, which has to fit an entity."""


class Postponements:
    """When each postponed event is tried again. An attempt within two seconds of the request may still be made."""

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._document = SharedDocument("postponed", shared, clock)
        self._clock = clock

    async def check(self, event_id: str) -> None:
        """Raise `Postponed` before the event's time, `Outage` if the list has never been read."""
        found = (await self._document.known()).get(event_id)
        if found is not None:
            until = datetime.fromisoformat(found["until"])
            left = (until - self._clock.now()).total_seconds()
            if left > 0:
                raise Postponed(f"{found['by']} has postponed it until {found['until']}", retry_after=left)

    async def postpone(self, event_id: str, until: datetime, *, by: str) -> None:
        """Postpone the event. Raises `Rejected` (409) if too many events are postponed, and what the store raises."""

        def change(postponed: Content) -> Content:
            now = self._clock.now()
            open_ones = {name: it for name, it in postponed.items() if datetime.fromisoformat(it["until"]) > now}
            if len(open_ones) >= MOST and event_id not in open_ones:
                detail = f"{MOST} events are postponed already. To hold more back, pause their table or their system."
                raise Rejected(409, "The event cannot be postponed", detail)
            return open_ones | {event_id: {"until": iso(until), "by": by}}

        await self._document.change(change)
