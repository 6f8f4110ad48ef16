"""Time for tests."""

from sandbox.azure.broker.entities.clock import BrokerClock


class StillClock(BrokerClock):
    """A clock that moves only when it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self._time = 1_800_000_000_000

    def now(self) -> int:
        return self._time

    def advance(self, milliseconds: int) -> None:
        self._time += milliseconds
