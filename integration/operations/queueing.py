"""Sending the events that people ask for, and writing down that they were accepted."""

import asyncio
from dataclasses import replace
from typing import Final

from integration.claim_check import ClaimCheck
from integration.errors import IntegrationError, Transient
from integration.events import IntegrationEvent
from integration.ledger import Ledger
from integration.messaging import WorkQueue
from integration.telemetry import child_of, get_logger, metrics, recordings, spans

_SEND_SECONDS: Final = 40.0
_SOURCE: Final = "operations"
_log = get_logger(__name__)


class Queueing:
    """Puts events into the work queue; `patience` is how many seconds the tables may take to write that down."""

    def __init__(
        self, ledger: Ledger, work_queue: WorkQueue, claim_check: ClaimCheck, *, patience: float = 3.0
    ) -> None:
        self._ledger = ledger
        self._work_queue = work_queue
        self._claim_check = claim_check
        self._patience = patience

    async def send(self, event: IntegrationEvent) -> IntegrationEvent:
        """Returns when the broker has acknowledged the event: it, as it was sent, with its trace going on from here.

        Raises `Transient` (broker-unavailable) where it has not: the event may be queued or not.
        """
        with spans.recorded(recordings.of_sent(event, self._work_queue.name, source=_SOURCE, wanted=True)) as recording:
            onward = recording.traceparent if recording else str(child_of(event.traceparent))
            fitted, envelope = await self._claim_check.fitted(replace(event, traceparent=onward))
            try:
                sent = asyncio.wrap_future(self._work_queue.send(fitted, envelope))
                await asyncio.wait_for(sent, _SEND_SECONDS)
            except TimeoutError as error:
                raise Transient("the work queue did not acknowledge in time", reason="broker-unavailable") from error
        metrics.ACCEPTED.add(_SOURCE)
        return fitted

    async def show(self, event: IntegrationEvent) -> None:
        """Write who and what, so that the event is found by its id, its correlation id and its time.

        The event is safe in the queue: tables that are away get it later, as long as this process lives.
        """
        written = self._ledger.accept(event, urgent=True)
        try:
            await asyncio.wait_for(asyncio.shield(written), self._patience)
        except (IntegrationError, TimeoutError) as error:
            _log.warning("ledger-behind", event=event, error=error)
