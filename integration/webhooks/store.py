"""The subscriptions in Azure Tables: one row each, in the partition of the caller that made it."""

import dataclasses
from collections.abc import Callable
from typing import Final

from integration.errors import Conflict
from integration.tables import PreconditionFailed, Table
from integration.tables.table import quoted
from integration.webhooks.subscription import Subscription, of_entity, to_entity

_MOST_TRIES: Final = 5


class Subscriptions:
    """Reads and writes subscriptions; raises `Outage` where the tables are away."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add(self, subscription: Subscription) -> None:
        """Write a new one."""
        await self._table.insert(to_entity(subscription))

    async def of(self, owner: str) -> list[Subscription]:
        """Those of a caller, the oldest first."""
        where = f"PartitionKey eq '{quoted(owner)}'"
        found = [of_entity(row) async for row in self._table.query(where)]
        return sorted(found, key=lambda it: it.created_at)

    async def all(self) -> list[Subscription]:
        """Those of all callers."""
        return [of_entity(row) async for row in self._table.query()]

    async def get(self, owner: str, subscription_id: str) -> Subscription | None:
        """One of a caller's; None where there is none."""
        found = await self._table.get(owner, subscription_id)
        return None if found is None else of_entity(found.entity)

    async def remove(self, owner: str, subscription_id: str) -> bool:
        """Delete it; False where there is none."""
        return await self._table.delete(owner, subscription_id)

    async def change(
        self, owner: str, subscription_id: str, change: Callable[[Subscription], Subscription]
    ) -> Subscription | None:
        """What `change` makes of it, written with its ETag; None where there is none. Raises `Conflict`."""
        for _ in range(_MOST_TRIES):
            found = await self._table.get(owner, subscription_id)
            if found is None:
                return None
            before = of_entity(found.entity)
            after = change(before)
            if after == before:
                return before
            try:
                await self._table.replace(to_entity(after), etag=found.etag)
            except PreconditionFailed:
                continue
            return after
        raise Conflict(f"the subscription {subscription_id} was written by others all the time")


def enabled(it: Subscription) -> Subscription:
    """The same, switched on and with no failure behind it."""
    return dataclasses.replace(it, failing_since=None, failed_with=None, disabled_at=None)
