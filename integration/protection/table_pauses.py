"""Tables whose events a person holds back, as all instances know it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from integration.clock import Clock
from integration.errors import Conflict, IntegrationError, Outage, Paused, Transient
from integration.protection.breaker import Pause
from integration.protection.lookout import Lookout
from integration.protection.shared_state import Document, SharedState
from integration.telemetry import get_logger

_log = get_logger(__name__)

KEY: Final = "tables"
REASON: Final = "table-paused"
_PATIENCE: Final = 2.0
"""Seconds that reading it may take while an event waits for it."""
_TRIES: Final = 5

Pauses = dict[str, Pause]
"""By the table's logical name; tables that are not paused are not in it."""


class TablePauses:
    """One document with the pauses of all tables, read every other second at most and only while events come in.

    While the store is away, what was read last holds. A process that has never read it lets no event through: somebody
    may have paused its table.
    """

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._known: Pauses | None = None
        self._changes = 0
        self._lookout = Lookout(self._read, clock)

    async def check(self, table: str) -> None:
        """Raise `Paused` (table-paused) while the table is paused, `Outage` where that has never been read."""
        await self._lookout.keep_up()
        if self._known is None:
            raise Outage("whether the table is paused could not be read", reason="ledger-unavailable", service="ledger")
        pause = self._known.get(table)
        if pause is not None:
            raise Paused(f"{pause.by} has paused {table}: {pause.why}", reason=REASON)

    async def pause(self, table: str, *, by: str, why: str) -> Pause:
        """Hold the table's events back until somebody resumes. Raises what the store raises."""
        pause = Pause(by, why, self._clock.now().timestamp())
        await self._change(lambda pauses: pauses | {table: pause})
        return pause

    async def resume(self, table: str) -> None:
        """Let the table's events go on. Raises what the store raises."""
        await self._change(lambda pauses: {name: pause for name, pause in pauses.items() if name != table})

    async def paused(self) -> Pauses:
        """The tables that are paused, as all instances know it; raises what the store raises."""
        return _from_document((await self._shared.read(KEY))[0])

    async def _read(self) -> None:
        changes = self._changes
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self.paused()
        except (IntegrationError, TimeoutError) as error:
            _log.warning("table-pauses-unknown", error=error)
        else:
            if changes == self._changes:  # else this process knows better than what it began to read before
                self._known = found

    async def _change(self, change: Callable[[Pauses], Pauses]) -> None:
        for _ in range(_TRIES):
            document, etag = await self._shared.read(KEY)
            changed = change(_from_document(document))
            try:
                await self._shared.write(KEY, _as_document(changed), etag)
            except Conflict:
                continue  # somebody has paused or resumed another table
            self._known = changed
            self._changes += 1
            return
        raise Transient("the pauses of tables change faster than they can be written", reason="ledger-unavailable")


def _as_document(pauses: Pauses) -> dict[str, Any]:
    return {table: asdict(pause) for table, pause in pauses.items()}


def _from_document(document: Document | None) -> Pauses:
    found: Mapping[str, Any] = document or {}
    return {table: Pause(**pause) for table, pause in found.items()}
