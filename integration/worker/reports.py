"""Reporting how events ended: to the hub of settled events, and in the row."""

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from integration.clock import Clock
from integration.errors import Transient
from integration.events import IntegrationEvent
from integration.events.contents import without_contents
from integration.ledger import DeadLetter, Memory, State
from integration.telemetry import get_logger
from integration.worker.copies import Copies
from integration.worker.handler import EventHandler
from integration.worker.hub import Hub
from integration.worker.settled import published_answers, settled_document

_KEPT: Final = 5_000
"""An older duplicate is published again, which readers ignore by its id."""
_log = get_logger(__name__)


class Reported(NamedTuple):
    """Where a dead letter has been reported, why not everywhere, and the version that the row has by that (or 0)."""

    where: tuple[str, ...]
    late: Transient | None
    row_version: int = 0


class Reports:
    """Publishes settled events, and marks rows whose events are dead-lettered."""

    def __init__(self, hub: Hub, copies: Copies, clock: Clock) -> None:
        self._hub = hub
        self._copies = copies
        self._clock = clock
        self._published: OrderedDict[str, None] = OrderedDict()

    async def publish(
        self, event: IntegrationEvent, handler: EventHandler | None, state: State, memory: Memory | None
    ) -> bool:
        """Publish how the event ended; False where the hub did not acknowledge and a copy is scheduled to do it later.

        The worker never waits long for analytics: what is not acknowledged at once goes into the queue as it is.
        """
        effects = published_answers(memory, event, handler.answers) if memory and handler else {}
        document = settled_document(event, state, at=self._clock.now(), effects=effects)
        if await self._send(event, document):
            return True
        await self.publish_later(event, document)
        return False

    async def publish_again(self, event: IntegrationEvent) -> bool:
        """Publish the document that the event carries, or schedule that once more."""
        document = event.settled or {}
        if await self._send(event, document):
            return True
        await self.publish_later(event, document)
        return False

    async def publish_later(self, event: IntegrationEvent, document: Mapping[str, Any]) -> None:
        """Schedule a copy that only publishes; it carries nothing else, so that it fits into a message in any case."""
        _log.warning("not-published", event=event)
        copy = dataclasses.replace(without_contents(event), settled=dict(document), first_failed_at=None)
        await self._copies.send(copy, self._copies.later(event.attempt, not_before=self._hub.pause))

    def is_published(self, event_id: str) -> bool:
        """Whether this process has published the event; another one may have done so too."""
        return event_id in self._published

    async def dead_letter(
        self, event: IntegrationEvent, handler: EventHandler | None, letter: DeadLetter, memory: Memory
    ) -> Reported:
        """Mark the row and publish, unless that was done before."""
        reported, late, row_version = list(letter.reported), None, 0
        if "row" not in reported and not memory.acted_after(event.operation_time):
            try:
                row_version = await self._mark_row(event, handler, letter)
                reported.append("row")
            except Transient as away:
                late = away
        if "hub" not in reported:
            document = settled_document(event, State.DEAD_LETTERED, at=self._clock.now(), reason=letter.reason)
            if await self._send(event, document):
                reported.append("hub")
            else:
                late = late or Transient("the hub did not acknowledge", reason="hub-unavailable")
        return Reported(tuple(reported), late, row_version)

    @staticmethod
    async def _mark_row(event: IntegrationEvent, handler: EventHandler | None, letter: DeadLetter) -> int:
        if handler is None:
            return 0
        try:
            return await handler.mark_failed(event, letter.reason)
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 -- the event is dead-lettered all the same
            _log.warning("not-reported", event=event, error=error)
        return 0

    async def _send(self, event: IntegrationEvent, document: Mapping[str, Any]) -> bool:
        if not await self._hub.send(event, document):
            return False
        self._published[event.event_id] = None
        if len(self._published) > _KEPT:
            self._published.popitem(last=False)
        return True
