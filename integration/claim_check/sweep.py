"""What is removed once a night of the contents that are kept for events.

| the event                                                               | its contents                          |
|-------------------------------------------------------------------------|---------------------------------------|
| has ended well, was resolved, sent again or discarded, since a day      | are removed                           |
| is under way, waits, or is dead-lettered                                | are kept                              |
| is of a month that the ledger has forgotten                             | are removed                           |
| is unknown: its message was never sent, as the intake died before that  | are removed when they are 16 days old |
"""

import asyncio
from datetime import timedelta
from typing import Final

from integration.claim_check.names import event_id_in
from integration.claim_check.store import ContentStore, Kept
from integration.clock import Clock
from integration.ledger import Ledger, State, keys
from integration.telemetry import get_logger

_RUN_SECONDS: Final = 200.0
"""Less than the functionTimeout of host.json; the rest is done the next night."""
_ENDED: Final = timedelta(days=1)
"""Whoever ends an event removes its contents at once; the sweep does not come between."""
_UNKNOWN: Final = timedelta(days=16)
"""A message lives for 14 days in the work queue (infra/topology.json), and is known to the ledger after that."""
_log = get_logger(__name__)


class ClaimSweep:
    """Goes through all contents. Raises `Outage` where tables or blobs cannot be reached.

    `months` is how long the ledger keeps events.
    """

    def __init__(
        self, store: ContentStore, ledger: Ledger, clock: Clock, *, months: int, run_seconds: float = _RUN_SECONDS
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._months = months
        self._run_seconds = run_seconds

    async def run(self) -> int:
        """Remove what nobody needs any more; returns how many blobs that were."""
        until = self._clock.monotonic() + self._run_seconds
        removed = 0
        finished = True
        for kept in await asyncio.to_thread(lambda: list(self._store.kept())):
            if self._clock.monotonic() > until:
                finished = False
                break
            if await self._is_over(kept):
                removed += await asyncio.to_thread(self._store.remove, kept.name)
        _log.info("contents-swept" if finished else "contents-sweep-unfinished", count=removed)
        return removed

    async def _is_over(self, kept: Kept) -> bool:
        event_id = event_id_in(kept.name)
        age = self._clock.now() - kept.written
        if age < _ENDED:
            return False
        is_forgotten = keys.month_of(event_id) < keys.month_at(self._clock.now(), back=self._months)
        if is_forgotten and age > _UNKNOWN:
            return True
        status = await self._ledger.read(event_id)
        if status is None:
            return age > _UNKNOWN
        return status.state.final and status.state is not State.DEAD_LETTERED
