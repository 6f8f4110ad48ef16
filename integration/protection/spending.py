"""How many requests all instances have sent to each system that counts them, as far as they have said so."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from integration.clock import Clock
from integration.protection.shared_state import SharedState, change

KEY: Final = "spending"
_FORGOTTEN_AFTER: Final = 180.0
_AT: Final = "at"


class Spending:
    """One document, in which each instance writes once a minute what it has sent in the last five.

    It is for people: limits are kept by each instance's own share, whatever the document says.
    """

    def __init__(self, shared: SharedState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock

    async def report(self, instance: str, spent: Mapping[str, int], *, pause: Callable[[], float]) -> None:
        """Write what an instance has sent, by system. Raises what the store raises."""
        now = self._clock.now().timestamp()

        def changed(seen: dict[str, Any]) -> dict[str, Any]:
            return _alive(seen, now) | {instance: {_AT: now, **spent}}

        await change(self._shared, KEY, changed, pause=pause)

    async def now(self) -> dict[str, int]:
        """What all instances have sent together, by system; those that have been silent for three minutes left out."""
        document, _ = await self._shared.read(KEY)
        total: Counter[str] = Counter()
        for said in _alive(dict(document or {}), self._clock.now().timestamp()).values():
            total.update({system: int(count) for system, count in said.items() if system != _AT})
        return dict(total)


def _alive(seen: Mapping[str, Any], now: float) -> dict[str, Any]:
    return {name: said for name, said in seen.items() if said[_AT] > now - _FORGOTTEN_AFTER}
