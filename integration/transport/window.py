"""Obeying `Retry-After`: while a host's window is open, nothing is sent there."""

import threading

from integration.clock import Clock


class RetryWindows:
    """The pauses that hosts asked for; shared by all threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def open(self, origin: str, seconds: float) -> None:
        """Send nothing to `origin` for `seconds` from now; an open window is never shortened."""
        until = self._clock.monotonic() + seconds
        with self._lock:
            self._until[origin] = max(until, self._until.get(origin, until))

    def remaining(self, origin: str) -> float:
        """Seconds until something may be sent to `origin`; 0.0 when it may be now."""
        until = self._until.get(origin)
        return 0.0 if until is None else max(0.0, until - self._clock.monotonic())
