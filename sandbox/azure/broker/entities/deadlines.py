"""When things fall due: a heap of deadlines that can be moved and cancelled."""

import heapq
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

_SLACK = 64  # stale heap entries that are not worth a rebuild


class Deadlines(Generic[Key]):
    """Keys, each with the time (milliseconds) at which it falls due. Memory follows the number of live keys.

    `wake` is called with every time at which a key will fall due.
    """

    def __init__(self, wake: Callable[[int], None]) -> None:
        self._wake = wake
        self._when: dict[Key, int] = {}
        self._heap: list[tuple[int, int, Key]] = []
        self._count = 0  # breaks ties, so that keys are never compared

    def set(self, key: Key, when: int) -> None:
        """The key falls due at `when`; its earlier deadline no longer counts."""
        self._when[key] = when
        self._push(key, when)
        if len(self._heap) > 2 * len(self._when) + _SLACK:
            self._heap.clear()
            for live, at in self._when.items():
                self._push(live, at)
        self._wake(when)

    def _push(self, key: Key, when: int) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, key))

    def cancel(self, key: Key) -> None:
        """The key no longer falls due."""
        self._when.pop(key, None)

    def next(self) -> int | None:
        """The earliest deadline, None when there is none."""
        while self._heap and self._when.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> list[Key]:
        """Takes out the keys that are due, earliest first."""
        due = []
        while (when := self.next()) is not None and when <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._when[key]
            due.append(key)
        return due
