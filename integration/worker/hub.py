"""Publishing to the hub without letting analytics hold up the business: a hub that does not answer is left alone."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from integration.clock import Clock
from integration.errors import Transient
from integration.events import IntegrationEvent
from integration.messaging import EventPublisher
from integration.telemetry import get_logger, recordings, spans
from integration.telemetry.spans import Kind, Span
from integration.worker.settled import encoded

_log = get_logger(__name__)
_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 10.0


class Hub:
    """Publishes documents and waits for their acknowledgement, up to ten seconds.

    After one that was not acknowledged, none is sent for ten seconds; then a single one probes whether the hub is back,
    while the others go on without waiting.
    """

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock
        self._away = False
        self._probe_at = 0.0

    @property
    def pause(self) -> float:
        """Seconds for which nothing is sent."""
        return max(0.0, self._probe_at - self._clock.monotonic()) if self._away else 0.0

    async def send(self, event: IntegrationEvent, document: Mapping[str, Any]) -> bool:
        """Whether the hub has acknowledged the document."""
        if self._away:
            if self.pause > 0:
                return False
            self._probe_at = self._clock.monotonic() + _SECONDS + _PAUSE_SECONDS
        span = self._span()
        if span is not None:
            document = {**document, "traceparent": str(span.context)}
        began = self._clock.monotonic()
        future = asyncio.wrap_future(self._publisher.publish(event.session_id, encoded(document)))
        try:
            await asyncio.wait_for(future, _SECONDS)
        except (Transient, TimeoutError):
            self._away = True
            self._probe_at = self._clock.monotonic() + _PAUSE_SECONDS
        else:
            self._away = False
        if span is not None:
            span.end("hub-unavailable" if self._away else "")
        duration = (self._clock.monotonic() - began) * 1000
        _log.debug("debug-published", outcome="late" if self._away else "acknowledged", duration_ms=duration)
        return not self._away

    def _span(self) -> Span | None:
        recording = spans.current()
        if recording is None:
            return None
        hub = self._publisher.name
        return recording.start(f"send {hub}", Kind.PRODUCER, recordings.messaging("send", "eventhubs", hub))
