"""Tables that a person has paused; all instances share the list."""

from dataclasses import asdict
from typing import Final

from integration.clock import Clock
from integration.errors import Paused
from integration.protection.breaker import Pause
from integration.protection.shared_document import SharedDocument
from integration.protection.shared_state import SharedState

REASON: Final = "table-paused"
DEBUG_DETAIL: Final = "debug-detail"
"""Under this name, which no table has, the document holds of what people want debug detail (debug_detail.py)."""


class TablePauses:
    """The pauses of all tables, by logical name."""

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self.document = SharedDocument("tables", shared, clock)
        self._clock = clock

    async def check(self, table: str) -> None:
        """Raise `Paused` (table-paused) while the table is paused, `Outage` if the list has never been read."""
        found = (await self.document.known()).get(table)
        if found is not None:
            pause = Pause(**found)
            raise Paused(f"{pause.by} has paused {table}: {pause.why}", reason=REASON)

    async def pause(self, table: str, *, by: str, why: str) -> Pause:
        """Hold the table's events back until somebody resumes. Raises what the store raises."""
        pause = Pause(by, why, self._clock.now().timestamp())
        await self.document.change(lambda pauses: pauses | {table: asdict(pause)})
        return pause

    async def resume(self, table: str) -> None:
        """Let the table's events go on. Raises what the store raises."""
        await self.document.change(lambda pauses: {name: it for name, it in pauses.items() if name != table})

    async def paused(self) -> dict[str, Pause]:
        """The tables that are paused, as all instances know it; raises what the store raises."""
        found = await self.document.read()
        return {table: Pause(**pause) for table, pause in found.items() if table != DEBUG_DETAIL}
