"""The one retry policy of the project: a pure function of when to try again, or to give up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential delays with full jitter and a cap; ends by age after a minimum of attempts, or by attempts.

    Full jitter (a uniform draw from zero to the exponential bound) spreads the copies of many events that failed at the
    same moment; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first_delay: timedelta = timedelta(seconds=5)
    cap: timedelta = timedelta(minutes=15)
    min_attempts: int = 10
    max_attempts: int = 1_000
    max_age: timedelta = timedelta(hours=96)

    def next_delay(
        self, attempt: int, age: timedelta, retry_after: float | None, random: Callable[[], float]
    ) -> timedelta | None:
        """How long to wait after attempt number `attempt` (from 1) has failed, or None: give up.

        `age` is the time since the event first failed, without outages of whole systems. `random` draws from [0, 1).
        """
        if attempt >= self.max_attempts or (age >= self.max_age and attempt >= self.min_attempts):
            return None
        return self.delay(attempt, retry_after, random)

    def delay(self, attempt: int, retry_after: float | None, random: Callable[[], float]) -> timedelta:
        """How long to wait after attempt number `attempt` has failed, however old the event is.

        The other side's `retry_after` (seconds) is always waited in full; the jitter is added to it.
        """
        return timedelta(seconds=retry_after or 0.0) + self.bound(attempt) * random()

    def bound(self, attempt: int) -> timedelta:
        """The longest delay after attempt number `attempt`: first delay doubled each time, up to the cap."""
        doublings = min(max(attempt - 1, 0), 60)
        return min(self.cap, timedelta(seconds=min(self.first_delay.total_seconds() * 2.0**doublings, _LONGEST)))


_LONGEST = 1e9
"""Seconds (32 years): keeps the doubling within the range of a timedelta."""
