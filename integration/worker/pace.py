"""No record is written to the outside more often than it has to be: a burst of changes becomes a few writes."""

from collections import OrderedDict

from integration.clock import Clock


class TooSoon(Exception):
    """The record was written a moment ago: wait for `seconds`, then read the row again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds:.3f} s")
        self.seconds = seconds


class Pace:
    """Remembers when this process last drove each record; `seconds` lie between two times.

    While one event waits, further changes reach the row, and the later events find that nothing is left to do.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._driven: OrderedDict[str, float] = OrderedDict()

    def check(self, session_id: str) -> None:
        """Raise `TooSoon` where the record was driven less than `seconds` ago."""
        left = self._driven.get(session_id, float("-inf")) + self._seconds - self._clock.monotonic()
        if left > 0:
            raise TooSoon(left)

    def driven(self, session_id: str) -> None:
        """The record has been driven now; those whose time is over are forgotten."""
        now = self._clock.monotonic()
        self._driven[session_id] = now
        self._driven.move_to_end(session_id)
        while self._driven and next(iter(self._driven.values())) + self._seconds <= now:
            self._driven.popitem(last=False)
