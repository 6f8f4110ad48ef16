"""What keeps an event from being worked on now, although it is its turn: people hold it back."""

from integration.events import IntegrationEvent
from integration.protection import TablePauses


class Holds:
    """Asked before a handler gets to work; what is held back waits as a copy, and does not age."""

    def __init__(self, pauses: TablePauses) -> None:
        self._pauses = pauses

    async def check(self, event: IntegrationEvent) -> None:
        """Raise `Paused` for an event of a table that somebody has paused."""
        await self._pauses.check(event.table)
