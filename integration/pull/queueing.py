"""Queueing what was read, without what other events have brought already."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from integration.batching import each
from integration.errors import Transient, Unavailable
from integration.events import IntegrationEvent
from integration.intake import TakingIn
from integration.ledger import Ledger, Memory
from integration.pull.events import Reason
from integration.pull.pace import Pace

AHEAD: Final = 64
"""At most this many events that nobody waits for are queued ahead of the worker. An event that somebody waits for has
no more than these before it, and a worker that handles 64 records at once still has enough to do."""
_PART: Final = 32
_READS_AT_ONCE: Final = 16


@dataclass(slots=True)
class Counted:
    """What became of events: `queued`, or not needed as their state is `known` already."""

    queued: int = 0
    known: int = 0


class PulledQueue:
    """Asks the ledger once for each row, and queues the events of those of which it knows less than Dataverse does."""

    def __init__(self, taking_in: TakingIn, ledger: Ledger, pace: Pace) -> None:
        self.pace = pace
        self._taking_in = taking_in
        self._ledger = ledger
        self._under_way: deque[IntegrationEvent] = deque(maxlen=10 * AHEAD)

    async def offer(
        self, events: Sequence[IntegrationEvent], reason: Reason, counted: Counted, *, rate: float, until: float
    ) -> bool:
        """Queue those that are needed; False where the time was over before the last one.

        At most a second's go at once, and none while the worker is far behind those before. To do it again is harmless.
        Raises what the ledger raises, and `Transient` where the broker takes no event.
        """
        some = max(1, min(int(rate), _PART))
        for start in range(0, len(events), some):
            part = events[start : start + some]
            memories = await each(self._memory, part, at_once=_READS_AT_ONCE)
            needed = [event for event, it in zip(part, memories, strict=True) if _is_needed(event, it)]
            if needed and not (await self._keeps_up(until) and await self.pace.wait(len(needed), rate, until=until)):
                return False
            await self.queue(needed, reason)
            self._under_way += needed
            counted.queued += len(needed)
            counted.known += len(part) - len(needed)
        return True

    async def queue(self, events: Sequence[IntegrationEvent], reason: Reason) -> None:
        """Return when the broker has acknowledged all of them; raises `Transient` otherwise."""
        try:
            await self._taking_in.queue_all(events, reason.caller, reason.caller, self._taking_in.clock.monotonic())
        except Unavailable as error:
            raise Transient(str(error), reason="broker-unavailable") from error

    async def _keeps_up(self, until: float) -> bool:
        """Wait until the worker has taken up all but the last `AHEAD` queued events; False if the time runs out first.

        One event stands for all before it. One that is held back by something else does not hold back the load: the
        next ones are looked at then.
        """
        while len(self._under_way) > AHEAD:
            for event in list(self._under_way)[-AHEAD - 1 :]:
                memory = await self._memory(event)
                if _is_taken_up(event, memory):
                    while self._under_way.popleft() is not event:
                        pass
                    break
                if not await self.pace.pause(until=until):
                    return False
        return True

    async def _memory(self, event: IntegrationEvent) -> Memory:
        return (await self._ledger.record(event.session_id)).memory


def _is_taken_up(event: IntegrationEvent, memory: Memory) -> bool:
    """Whether the worker has looked at the event, whatever came of it, or at what it is about."""
    seen = event.event_id == memory.waiting or event.event_id in {*memory.recent, *memory.dead_letters}
    return seen or not _is_needed(event, memory)


def _is_needed(event: IntegrationEvent, memory: Memory) -> bool:
    """A change that nobody has looked at yet, or a deletion.

    A deletion is needed too where nothing is remembered of the row: its other events may be under way.
    """
    return not memory.has_brought(event.row_version, deleted=event.message == "Delete")
