"""Reads what has changed in Business Central since the last time: it finds what notifications did not say.

They come late, collapse into one for many changes, and end with their subscription. The sweep asks for rows that were
changed after the last sweep and a little before it; an event that a notification has brought already has the same id,
and its record knows it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from integration.clock import Clock, iso
from integration.errors import Conflict
from integration.events.business_central_notification import POSTED, SUBSCRIBED, Changed
from integration.intake.taking_in import TakingIn
from integration.intake.watched_company import CALLER, WatchedCompany
from integration.protection import SharedState
from integration.telemetry import get_logger

if TYPE_CHECKING:
    from integration.systems.business_central.webhooks import Webhooks

OVERLAP: Final = timedelta(minutes=5)
"""Rows that were being written during the last sweep may bear a time before it; the clocks may differ as well."""
_KINDS: Final = (*SUBSCRIBED, POSTED)
_AT_ONCE: Final = 200
_SOURCE: Final = "sweep"
_log = get_logger(__name__)


class Sweep:
    """Queues an event for each record that has changed since the last run; raises what the calls raise.

    How far it has come is in `shared`, and moves on only once all of it is queued. The first run begins now: what was
    there before is loaded by other means.
    """

    def __init__(
        self,
        webhooks: "Webhooks",
        taking_in: TakingIn,
        watched: WatchedCompany,
        shared: SharedState,
        clock: Clock,
    ) -> None:
        self._webhooks = webhooks
        self._taking_in = taking_in
        self._watched = watched
        self._shared = shared
        self._clock = clock
        self._key = f"sweep.{watched.system}"

    async def run(self) -> int:
        """Queue what has changed; how many events."""
        began = self._clock.now()
        state, etag = await self._shared.read(self._key)
        queued = 0
        if state is not None:
            since = datetime.fromisoformat(str(state["until"])) - OVERLAP
            for kind in _KINDS:
                queued += await self._sweep(kind, since)
        try:
            await self._shared.write(self._key, {"until": iso(began)}, etag)
        except Conflict:
            _log.info("swept-by-another", count=queued)
        return queued

    async def _sweep(self, kind: str, since: datetime) -> int:
        queued, waiting = 0, list[Changed]()
        async for changed in self._webhooks.changed_since(kind, since):
            waiting.append(changed)
            if len(waiting) == _AT_ONCE:
                queued += await self._queue(waiting)
                waiting = []
        return queued + await self._queue(waiting)

    async def _queue(self, changes: Sequence[Changed]) -> int:
        events = self._watched.events(changes)
        if events:
            await self._taking_in.queue_all(events, CALLER, _SOURCE, self._taking_in.clock.monotonic())
        return len(events)
