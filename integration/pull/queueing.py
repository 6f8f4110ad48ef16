"""Queueing what was read, without what other events have brought already."""

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

    async def offer(
        self, events: Sequence[IntegrationEvent], reason: Reason, counted: Counted, *, rate: float, until: float
    ) -> bool:
        """Queue those that are needed, at most a second's at once; False where the time was over before the last one.

        To do it again is harmless. Raises what the ledger raises, and `Transient` where the broker takes no event.
        """
        some = max(1, int(rate))
        for start in range(0, len(events), some):
            part = events[start : start + some]
            memories = await each(self._memory, part, at_once=_READS_AT_ONCE)
            needed = [event for event, it in zip(part, memories, strict=True) if _is_needed(event, it)]
            if needed and not await self.pace.wait(len(needed), rate, until=until):
                return False
            await self.queue(needed, reason)
            counted.queued += len(needed)
            counted.known += len(part) - len(needed)
        return True

    async def queue(self, events: Sequence[IntegrationEvent], reason: Reason) -> None:
        """Return when the broker has acknowledged all of them; raises `Transient` otherwise."""
        try:
            await self._taking_in.queue_all(events, reason.caller, reason.caller, self._taking_in.clock.monotonic())
        except Unavailable as error:
            raise Transient(str(error), reason="broker-unavailable") from error

    async def _memory(self, event: IntegrationEvent) -> Memory:
        return (await self._ledger.record(event.session_id)).memory


def _is_needed(event: IntegrationEvent, memory: Memory) -> bool:
    """A change that nobody has looked at yet, or a deletion.

    A deletion is needed too where nothing is remembered of the row: its other events may be under way.
    """
    if event.message == "Delete":
        return not memory.deleted
    return bool(memory.deleted) or event.row_version is None or not memory.knows(event.row_version)
