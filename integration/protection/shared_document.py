"""A document that people change now and then and that all instances obey."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from integration.clock import Clock
from integration.errors import IntegrationError, Outage
from integration.protection import shared_state
from integration.protection.lookout import FRESH, Lookout
from integration.protection.shared_state import SharedState
from integration.telemetry import get_logger

_log = get_logger(__name__)

_PATIENCE: Final = 2.0
"""Seconds that reading it may take while an event waits for it."""

Content = dict[str, Any]


class SharedDocument:
    """The document `key`, read every other second at most and only while somebody asks.

    So what somebody changes holds for whatever begins two seconds later, on each instance. While the store is away,
    what was read last holds. A process that has never read it does not go on without it.
    """

    def __init__(self, key: str, shared: SharedState, clock: Clock) -> None:
        self._key = key
        self._shared = shared
        self._known: Content | None = None
        self._changes = 0
        self._lookout = Lookout(self._look, clock, stale=FRESH)

    @property
    def last(self) -> Content:
        """What was read last, however long ago; empty if nothing was."""
        return self._known or {}

    def look(self) -> "asyncio.Task[None] | None":
        """Begin to read it again where that is older than two seconds; None where it is not. It never fails."""
        return self._lookout.look()

    async def keep_up(self) -> None:
        """Return when what is known is at most two seconds old, or cannot be read. It never fails."""
        await self._lookout.keep_up()

    async def known(self) -> Content:
        """What was stored, at most two seconds old; raises `Outage` if it has never been read."""
        await self.keep_up()
        if self._known is None:
            raise Outage(f"what is held back ({self._key}) could not be read", reason="ledger-unavailable")
        return self._known

    async def read(self) -> Content:
        """What is stored now; raises what the store raises."""
        return dict((await self._shared.read(self._key))[0] or {})

    async def change(self, change: Callable[[Content], Content]) -> Content:
        """Apply `change` to what is stored, write and return the result. Raises what the store and `change` raise."""
        changed = await shared_state.change(self._shared, self._key, change)
        self._known = changed
        self._changes += 1
        return changed

    async def _look(self) -> None:
        changes = self._changes
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self.read()
        except (IntegrationError, TimeoutError) as error:
            _log.warning("holds-unknown", error=error)
        else:
            if changes == self._changes:  # otherwise this process has written meanwhile, and what it read is older
                self._known = found
