"""Trying again later: a scheduled copy, then the original may complete."""

import dataclasses
import random
from collections.abc import Callable
from datetime import datetime

from integration.clock import Clock
from integration.coalescing import acknowledged
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.ledger import Entry
from integration.messaging import WorkQueue
from integration.transport.retry import RetryPolicy

_SEND_SECONDS = 40.0
_PAUSE_SECONDS = 15.0


class RetryLater:
    """Schedules copies by the retry policy.

    An exception would bring the message back at once, ten times in a row, and then dead-letter it. The copy is sent
    before the original completes: a crash in between leaves two, which the ledger tells apart, never none.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        work_queue: WorkQueue,
        clock: Clock,
        *,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._work_queue = work_queue
        self._clock = clock
        self._draw = draw

    def postpone(self, event: IntegrationEvent) -> datetime:
        """Queue the next attempt for as late as the policy ever waits, whatever its limits: its end cannot be written.

        Raises `Transient` where the broker is away.
        """
        due = self._clock.now() + self._policy.cap
        self._send(event, due)
        return due

    def schedule(self, event: IntegrationEvent, entry: Entry | None, error: Transient) -> datetime:
        """Queue the next attempt and say when it is due.

        Raises `Permanent` (reason retries-exhausted) where the policy gives up, `Transient` where the broker is away.
        """
        now = self._clock.now()
        age = now - event.accepted_time
        delay = self._policy.next_delay(event.attempt, age, error.retry_after, self._draw)
        if delay is None:
            raise Permanent(
                f"gave up after {event.attempt} attempts in {age}: {error}", reason="retries-exhausted"
            ) from error
        due = now + delay
        self._send(event, due)
        if entry is not None:
            entry.wait(due, reason=error.reason, detail=str(error))
        return due

    def _send(self, event: IntegrationEvent, due: datetime) -> None:
        copy = dataclasses.replace(event, attempt=event.attempt + 1)
        try:
            acknowledged(self._work_queue.schedule(copy, due), _SEND_SECONDS, "work queue")
        except Transient:
            # Raising brings the message back at once and ten times at most: the queue is given time to recover.
            self._clock.sleep(_PAUSE_SECONDS)
            raise
