"""What keeps an event from being worked on now, although it is its turn: people hold it back."""

from integration.events import IntegrationEvent
from integration.protection import Postponements, TablePauses


class Holds:
    """Asked before a handler gets to work; what is held back waits as a copy, and does not age."""

    def __init__(self, pauses: TablePauses, postponements: Postponements) -> None:
        self._pauses = pauses
        self._postponements = postponements

    async def check(self, event: IntegrationEvent) -> None:
        """Raise `Postponed` for an event that somebody has put off, `Paused` for one of a table that is paused."""
        await self._postponements.check(event.event_id)
        await self._pauses.check(event.table)
