"""How many requests a process may send in a window of time, for a system that counts them."""

from collections import deque

_PARTS = 30


class Budget:
    """`requests` in any `window` seconds, counted in thirtieths of the window; times as the caller gives them."""

    def __init__(self, requests: int, window: float = 300.0) -> None:
        self._requests = requests
        self._part = window / _PARTS
        self._spent: deque[list[float]] = deque()
        self._total = 0.0

    def set_requests(self, requests: int) -> None:
        """Set the budget to `requests`, at least one."""
        self._requests = max(1, requests)

    def spent(self, now: float) -> int:
        """How many requests were taken in the window that ends now."""
        part = now // self._part
        return int(sum(count for at, count in self._spent if at >= part - _PARTS))

    def spend(self, now: float) -> float:
        """Take one request and return 0.0; if none is left, take none and return the seconds until there is one."""
        part = now // self._part
        while self._spent and self._spent[0][0] < part - _PARTS:
            self._total -= self._spent.popleft()[1]
        if self._total >= self._requests:
            return (self._spent[0][0] + _PARTS + 1) * self._part - now
        if not self._spent or self._spent[-1][0] != part:
            self._spent.append([part, 0.0])
        self._spent[-1][1] += 1
        self._total += 1
        return 0.0
