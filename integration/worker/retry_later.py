"""Trying again later: a scheduled copy, then the original may complete."""

import dataclasses
import random
from collections.abc import Callable
from datetime import datetime

from integration.clock import Clock
from integration.coalescing import settled
from integration.errors import Permanent, Transient
from integration.events import IntegrationEvent
from integration.ledger import Entry
from integration.messaging import WorkQueue
from integration.transport.retry import RetryPolicy

_SEND_SECONDS = 40.0


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
        copy = dataclasses.replace(event, attempt=event.attempt + 1)
        settled(self._work_queue.schedule(copy, due), _SEND_SECONDS, "work queue")
        if entry is not None:
            entry.wait(due, reason=error.reason, detail=str(error))
        return due
