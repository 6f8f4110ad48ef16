"""How much of each system's budget of requests is used."""

from collections.abc import Mapping
from dataclasses import dataclass

from integration.protection import Spending


@dataclass(frozen=True, slots=True)
class Use:
    """`spent` of `requests` in five minutes, by all instances; each says once a minute what it has sent."""

    spent: int
    requests: int

    @property
    def percent(self) -> int:
        """Rounded to whole ones."""
        return round(100 * self.spent / self.requests)


class Budgets:
    """The systems that count requests, by name, with how many they allow. Raises `Outage` where the tables are away."""

    def __init__(self, requests: Mapping[str, int], spending: Spending) -> None:
        self._requests = requests
        self._spending = spending

    async def now(self) -> dict[str, Use]:
        """Each with what is used of it."""
        spent = await self._spending.now()
        return {name: Use(spent.get(name, 0), requests) for name, requests in self._requests.items()}
