"""Counts the running instances of the app, by which shared limits are divided."""

import random
import secrets
from collections.abc import Callable
from typing import Any

from integration.clock import Clock
from integration.errors import IntegrationError
from integration.protection.shared_state import SharedState, change
from integration.protection.spending import Spending
from integration.telemetry import get_logger
from integration.transport.single_flight import SingleFlight

_log = get_logger(__name__)

KEY = "instances"
_FIRST, _EVERY = 1.0, 60.0
"""Seconds between two signs of life, at first and later on, varied by up to a third, so that not all write at once."""
_FORGOTTEN_AFTER = 180.0


class Instances:
    """Counts the instances that called a system in the last three minutes, this one included.

    Each writes its own sign of life into one shared document, only while it has something to do: often at first, since
    those that start together do not know of each other yet, and then once a minute. Where the document cannot be read,
    the last known number holds.
    """

    def __init__(self, shared: SharedState, clock: Clock, *, draw: Callable[[], float] = random.random) -> None:
        self._shared = shared
        self._clock = clock
        self._draw = draw
        self._own = secrets.token_hex(6)
        self._count = 1
        self._next = -1.0
        self._pause = _FIRST
        self._signing = SingleFlight[None]()
        self._spending = Spending(shared, clock)
        self._spent: dict[str, Callable[[], int]] = {}

    def counts(self, system: str, spent: Callable[[], int]) -> None:
        """Let every sign of life say too how many requests this process has sent to a system in five minutes."""
        self._spent[system] = spent

    def count(self) -> int:
        """The number as far as it is known, at least 1; starts writing a sign of life if one is due."""
        now = self._clock.monotonic()
        if now >= self._next:
            self._next = now + self._pause * (2 + 2 * self._draw()) / 3
            self._pause = min(_EVERY, 2 * self._pause)
            self._signing.start(self._sign)
        return self._count

    async def _sign(self) -> None:
        try:
            alive = await change(self._shared, KEY, self._signed, pause=lambda: self._draw() / 2)
        except IntegrationError as error:
            _log.warning("instances-not-counted", error=error)
        else:
            self._count = len(alive)
            await self._report()

    async def _report(self) -> None:
        spent = {system: count for system, spent in self._spent.items() if (count := spent())}
        if not spent:
            return
        try:
            await self._spending.report(self._own, spent, pause=lambda: self._draw() / 2)
        except IntegrationError as error:
            _log.warning("instances-not-counted", error=error)

    def _signed(self, seen: dict[str, Any]) -> dict[str, Any]:
        """The instances that are alive, with the time of this one's sign of life."""
        now = self._clock.now().timestamp()
        return {name: at for name, at in seen.items() if at > now - _FORGOTTEN_AFTER} | {self._own: now}
