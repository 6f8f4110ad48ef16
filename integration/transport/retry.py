"""The one retry policy of the project: when to try again, or that it is time to give up. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential delays with full jitter, a cap, and two ends: attempts and age.

    Full jitter (a uniform draw from zero to the exponential bound) spreads the copies of many events that failed at the
    same moment; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    first_delay: timedelta = timedelta(seconds=5)
    cap: timedelta = timedelta(minutes=15)
    max_attempts: int = 20
    max_age: timedelta = timedelta(hours=24)

    def next_delay(
        self, attempt: int, age: timedelta, retry_after: float | None, random: Callable[[], float]
    ) -> timedelta | None:
        """How long to wait after attempt number `attempt` (from 1) has failed, or None: give up.

        `age` is the time since the event was accepted; no attempt is made when it would be above `max_age`. What the
        other side asked for (`retry_after`, seconds) is always waited in full, the jitter comes on top of it. `random`
        draws from [0, 1).
        """
        asked = timedelta(seconds=retry_after or 0.0)
        if attempt >= self.max_attempts or age + asked >= self.max_age:
            return None
        return min(asked + self.bound(attempt) * random(), self.max_age - age)

    def bound(self, attempt: int) -> timedelta:
        """The longest delay after attempt number `attempt`: first delay doubled each time, up to the cap."""
        doublings = min(max(attempt - 1, 0), 60)
        return min(self.cap, timedelta(seconds=min(self.first_delay.total_seconds() * 2.0**doublings, _LONGEST)))


_LONGEST = 1e9
"""Seconds (32 years): keeps the doubling inside what a timedelta can hold."""
