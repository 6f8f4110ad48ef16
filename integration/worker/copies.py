"""Copies of events that appear in the work queue later: how an event is tried again.

An exception would bring the message back at once, ten times in a row, and then dead-letter it. A copy is acknowledged
before the original completes: a crash in between leaves two, which the ledger tells apart, never none.
"""

import asyncio
import dataclasses
import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from integration.clock import Clock
from integration.errors import Transient
from integration.events import IntegrationEvent
from integration.messaging import WorkQueue
from integration.telemetry import get_logger, recordings, spans
from integration.telemetry.spans import Kind
from integration.transport import RetryPolicy

_SEND_SECONDS: Final = 40.0
_HOLD_SECONDS: Final = 100.0
_PAUSE_SECONDS: Final = 5.0
_log = get_logger(__name__)


class Copies:
    """Schedules copies; where the queue takes none, the message is held and tried again."""

    def __init__(
        self, work_queue: WorkQueue, policy: RetryPolicy, clock: Clock, *, draw: Callable[[], float] = random.random
    ) -> None:
        self._work_queue = work_queue
        self._clock = clock
        self.policy = policy
        self.draw = draw

    @property
    def queue_name(self) -> str:
        """The queue that they appear in."""
        return self._work_queue.name

    def later(self, attempt: int, *, not_before: float = 0.0) -> datetime:
        """When to try again after attempt number `attempt`, without an end; `not_before` is in seconds."""
        return self._clock.now() + self.policy.delay(attempt, not_before, self.draw)

    async def send(self, event: IntegrationEvent, due: datetime) -> None:
        """Schedule the next attempt of `event` for `due`.

        A queue that is full or away is tried for minutes, which holds the event's session: raising at once would use up
        the message's deliveries within seconds. Raises `Transient` (broker-unavailable) after that.
        """
        copy = dataclasses.replace(event, attempt=event.attempt + 1)
        recording, span = spans.current(), None
        if recording is not None:
            attributes = recordings.messaging("send", "servicebus", self._work_queue.name)
            attributes |= {"messaging.message.id": copy.message_id, "integration.due": due.isoformat()}
            span = recording.start(f"send {self._work_queue.name}", Kind.PRODUCER, attributes)
            copy = dataclasses.replace(copy, traceparent=recording.followed(copy.traceparent))
        until = self._clock.monotonic() + _HOLD_SECONDS
        while True:
            try:
                future = asyncio.wrap_future(self._work_queue.schedule(copy, due))
                await asyncio.wait_for(future, _SEND_SECONDS)
            except (Transient, TimeoutError) as error:
                _log.error("held", event=event, error=error)
                if self._clock.monotonic() + _PAUSE_SECONDS >= until:
                    if span is not None:
                        span.end("broker-unavailable")
                    raise Transient("the work queue takes no copy", reason="broker-unavailable") from error
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                if span is not None:
                    span.end()
                return
