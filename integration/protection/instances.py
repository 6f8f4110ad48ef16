"""Counts the running instances of the app, by which shared limits are divided."""

import asyncio
import random
import secrets
from collections.abc import Callable

from integration.clock import Clock
from integration.errors import Conflict, IntegrationError
from integration.protection.shared_state import SharedState
from integration.telemetry import get_logger
from integration.transport.single_flight import SingleFlight

_log = get_logger(__name__)

KEY = "instances"
_EVERY = 60.0
"""Seconds between two signs of life, varied by up to a third, so that instances do not all write at once."""
_AGAIN_AFTER = 5.0
"""Seconds from the first sign of life to the second: instances that start together did not see each other before."""
_FORGOTTEN_AFTER = 180.0
_TRIES = 5


class Instances:
    """Counts the instances that called a system in the last three minutes, this one included.

    Each instance writes its sign of life into one shared document, twice when it starts, then once a minute and only
    while it has work.
    If the document cannot be read, the last known number is used.
    """

    def __init__(self, shared: SharedState, clock: Clock, *, draw: Callable[[], float] = random.random) -> None:
        self._shared = shared
        self._clock = clock
        self._draw = draw
        self._own = secrets.token_hex(6)
        self._count = 1
        self._next = -1.0
        self._signing = SingleFlight[None]()

    def count(self) -> int:
        """The number as far as it is known, at least 1; starts writing a sign of life if one is due."""
        now = self._clock.monotonic()
        if now >= self._next:
            every = _AGAIN_AFTER if self._next < 0 else _EVERY
            self._next = now + every * (2 + 2 * self._draw()) / 3
            self._signing.start(self._sign)
        return self._count

    async def _sign(self) -> None:
        for _ in range(_TRIES):
            now = self._clock.now().timestamp()
            try:
                seen, etag = await self._shared.read(KEY)
                alive = {name: at for name, at in (seen or {}).items() if at > now - _FORGOTTEN_AFTER}
                await self._shared.write(KEY, alive | {self._own: now}, etag)
            except Conflict:  # another instance wrote at the same moment
                await asyncio.sleep(self._draw() / 2)
            except IntegrationError as error:
                _log.warning("instances-not-counted", error=error)
                return
            else:
                self._count = len(alive | {self._own: now})
                return
