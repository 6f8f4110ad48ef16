"""Answers that are given again for a few seconds: a form and its subgrids ask for the same rows several times.

Each instance keeps its own. What is written through this instance is seen through it at once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from integration.clock import Clock

_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer or one that is being fetched, until when it is fresh, and what it is about."""

    answer: "asyncio.Future[Any]"
    until: float
    about: str


class Cache:
    """Answers by key, the ones used longest ago dropped first; the same question is asked once at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def get(self, key: str, about: str, seconds: float, ask: Callable[[], Awaitable[Any]]) -> Any:
        """The answer under `key`, at most `seconds` old; errors are not kept."""
        now = self._clock.monotonic()
        kept = self._kept.get(key)
        if kept is not None and now < kept.until and not kept.answer.cancelled():
            self._kept.move_to_end(key)
            return await asyncio.shield(kept.answer)
        answer = asyncio.ensure_future(ask())
        self._kept[key] = _Kept(answer, now + seconds, about)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        try:
            return await asyncio.shield(answer)
        except BaseException:
            kept = self._kept.get(key)
            if kept is not None and kept.answer is answer:
                del self._kept[key]
            raise

    def forget(self, about: str) -> None:
        """Drop what is kept about a set."""
        for key in [key for key, kept in self._kept.items() if kept.about == about]:
            del self._kept[key]
