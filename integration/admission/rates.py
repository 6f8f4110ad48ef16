"""How often somebody may ask: so many requests in a minute, which may come at once and then come back evenly.

Each instance counts for itself: that keeps one caller from taking all of an instance, and is no quota.
"""

import math
from dataclasses import dataclass
from typing import Final

from integration.clock import Clock
from integration.errors import Rejected

_MINUTE: Final = 60.0


@dataclass(slots=True)
class _Bucket:
    """What is left of a minute's requests, and when that was counted."""

    left: float
    at: float


class Rates:
    """Counts the requests of everybody by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def count(self, who: str, most: int | None, setting: str) -> None:
        """Count a request of `who`, who may send `most` in a minute (None: any number), as `setting` says.

        Raises `Rejected` (429, too-many-requests, with `retry_after`) where it is one too many.
        """
        wait = 0 if most is None else self._wait(who, most)
        if wait:
            raise Rejected(
                429,
                "Too many requests",
                f"The {who} may send {most} requests in a minute ({setting}); the next one in {wait} s.",
                retry_after=wait,
            )

    def _wait(self, who: str, most: int) -> int:
        """The seconds after which a request would be taken; 0 where it is taken now."""
        now = self._clock.monotonic()
        bucket = self._buckets.setdefault(who, _Bucket(most, now))
        bucket.left = min(float(most), bucket.left + (now - bucket.at) * most / _MINUTE)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0
        return math.ceil((1 - bucket.left) * _MINUTE / most)
