"""The broker's time, which tests may move forward."""

import time


class BrokerClock:
    """Milliseconds since 1970 UTC, plus what tests have added."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        """The current time in milliseconds."""
        return time.time_ns() // 1_000_000 + self._ahead

    def not_before(self, moment: int) -> None:
        """Goes on from `moment` if it has not come yet: after a restart, what tests had added before still counts."""
        self._ahead += max(0, moment - self.now())

    def advance(self, milliseconds: int) -> None:
        """Moves the time forward."""
        self._ahead += milliseconds
