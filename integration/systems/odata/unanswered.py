"""Orders that were asked for and never answered: how long they may still come into being."""

from datetime import timedelta

from integration.clock import Clock
from integration.errors import OutcomeUnknown
from integration.systems.references import Entry


class Unanswered:
    """A request may still be at work in the system for `seconds` after its answer was lost."""

    def __init__(self, service: str, seconds: float, clock: Clock) -> None:
        self._service = service
        self._seconds = seconds
        self._clock = clock

    def now(self) -> str:
        """What a reference takes as the time at which something is asked for."""
        return self._clock.now().isoformat()

    def wait(self, entry: Entry) -> None:
        """Raise `OutcomeUnknown` while a request whose answer was lost may still be at work."""
        started = entry.value.started_at
        if started is not None:
            over = started + timedelta(seconds=self._seconds)
            left = (over - self._clock.now()).total_seconds()
            if left > 0:
                raise self.error(left)

    def error(self, left: float | None = None) -> OutcomeUnknown:
        """That an order was asked for and cannot be seen; it is asked for again in `left` seconds at the earliest."""
        service = self._service
        return OutcomeUnknown(
            f"{service} was asked for an order, its answer was lost, and no such order is there yet: it is looked for "
            "again before it is asked for again",
            reason=f"{service}-outcome-unknown",
            service=service,
            retry_after=self._seconds if left is None else left,
        )
