"""Sending the events that people ask for, and writing down that they were accepted."""

import asyncio
from typing import Final

from integration.errors import Transient
from integration.events import IntegrationEvent, to_envelope
from integration.ledger import Ledger
from integration.messaging import WorkQueue

_SEND_SECONDS: Final = 40.0


class Queueing:
    """Puts events into the work queue. Raises `Transient` where the broker or the tables do not answer."""

    def __init__(self, ledger: Ledger, work_queue: WorkQueue) -> None:
        self._ledger = ledger
        self._work_queue = work_queue

    async def send(self, event: IntegrationEvent) -> None:
        """Returns when the broker has acknowledged the event; where it has not, the event may be queued or not."""
        try:
            sent = asyncio.wrap_future(self._work_queue.send(event, to_envelope(event)))
            await asyncio.wait_for(sent, _SEND_SECONDS)
        except TimeoutError as error:
            raise Transient("the work queue did not acknowledge in time", reason="broker-unavailable") from error

    async def show(self, event: IntegrationEvent) -> None:
        """Write who and what, so that the event is found by its id, its correlation id and its time."""
        await self._ledger.accept(event)
