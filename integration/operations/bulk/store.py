"""Where bulk operations are: a table for each month, with a partition of operations, and one of each one's items."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from integration.clock import Clock
from integration.errors import Rejected, Transient
from integration.ledger import Ledger, keys, rows
from integration.operations.bulk.model import Bulk, BulkState, Item, ItemState
from integration.tables import PreconditionFailed, Table, quoted

LISTED: Final = 100
_BULKS: Final = "bulks"
_TRIES: Final = 6

Change = Callable[[Bulk], Bulk]


class BulkStore:
    """Reads and writes them; raises `Rejected` (404) for what there is not, `Transient`."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    def new_id(self) -> str:
        """`yyyyMMddHHmm-` and eight digits: the minute, from which its table follows, and chance."""
        return f"{self._clock.now():%Y%m%d%H%M}-{secrets.token_hex(4)}"

    async def add(self, bulk: Bulk, event_ids: Iterable[str]) -> Bulk:
        """Write a new one with its items, and return it. It is `planning` until all of them are written."""
        table = self._table(bulk.bulk_id)
        await table.insert({**_keys(bulk.bulk_id), "schema": rows.SCHEMA, **bulk.as_columns()})
        partition = _items(bulk.bulk_id)
        await table.merge_all(
            [
                {"PartitionKey": partition, "RowKey": event_id, "schema": rows.SCHEMA, **Item(event_id).as_columns()}
                for event_id in event_ids
            ]
        )
        return await self.change(bulk.bulk_id, lambda it: replace(it, state=BulkState.PLANNED))

    async def read(self, bulk_id: str) -> Bulk:
        """The operation as it is now."""
        return (await self._read(bulk_id))[0]

    async def change(self, bulk_id: str, change: Change) -> Bulk:
        """Apply a change to what is stored; raises what `change` raises. Nothing is written where nothing changes."""
        for _ in range(_TRIES):
            found, etag = await self._read(bulk_id)
            changed = change(found)
            if changed == found:
                return found
            try:
                row = {**_keys(bulk_id), "schema": rows.SCHEMA, **changed.as_columns()}
                await self._table(bulk_id).replace(row, etag=etag)
            except PreconditionFailed:
                continue
            return changed
        raise Transient(f"bulk operation {bulk_id} changes faster than it can be written", reason="record-contended")

    async def recent(self) -> list[Bulk]:
        """Those of this month and the last one, newest first, 100 a month."""
        return sorted(await self._bulks(""), key=lambda it: it.bulk_id, reverse=True)

    async def active(self) -> Sequence[Bulk]:
        """Those that are running, oldest first."""
        running = f" and state eq '{BulkState.RUNNING.value}'"
        return sorted(await self._bulks(running), key=lambda it: it.bulk_id)

    async def items(
        self, bulk_id: str, most: int = LISTED, *, after: str = "", state: ItemState | None = None
    ) -> list[Item]:
        """The first items behind an event id, by event id, all or those in one state."""
        where = f"PartitionKey eq '{_items(bulk_id)}'"
        where += f" and RowKey gt '{quoted(after)}'" if after else ""
        where += f" and state eq '{state.value}'" if state else ""
        return [Item.from_columns(it) for it in await self._table(bulk_id).first(where, most)]

    async def put(self, bulk_id: str, item: Item) -> None:
        """Write what became of an item."""
        row = {"PartitionKey": _items(bulk_id), "RowKey": item.event_id, **item.as_columns()}
        await self._table(bulk_id).merge(row)

    async def counts(self, bulk_id: str) -> dict[str, int]:
        """How many items are in each state, by its name."""
        found = {state.value: 0 for state in ItemState}
        where = f"PartitionKey eq '{_items(bulk_id)}'"
        async for entity in self._table(bulk_id).query(where, select=["state"]):
            found[str(entity["state"])] += 1
        return found

    async def _bulks(self, narrowed: str) -> list[Bulk]:
        now, found = self._clock.now(), list[Bulk]()
        for back in (0, 1):
            table = self._ledger.table(keys.bulks_table(keys.month_at(now, back=back)))
            where = f"PartitionKey eq '{_BULKS}'{narrowed}"
            found += [Bulk.from_columns(it) async for it in table.query(where)]
        return found

    async def _read(self, bulk_id: str) -> tuple[Bulk, str]:
        found = await self._table(bulk_id).get(*_keys(bulk_id).values()) if _is_id(bulk_id) else None
        if found is None:
            raise Rejected(404, "Unknown bulk operation", f"There is no bulk operation {bulk_id[:100]}.")
        return Bulk.from_columns(found.entity), found.etag

    def _table(self, bulk_id: str) -> Table:
        return self._ledger.table(keys.bulks_table(bulk_id[:6]))


def _is_id(bulk_id: str) -> bool:
    minute, _, chance = bulk_id.partition("-")
    try:
        datetime.strptime(minute, "%Y%m%d%H%M")  # noqa: DTZ007 -- it is only asked whether it is one
    except ValueError:
        return False
    return len(minute) == 12 and chance.isascii() and chance.isalnum()


def _keys(bulk_id: str) -> dict[str, str]:
    return {"PartitionKey": _BULKS, "RowKey": bulk_id}


def _items(bulk_id: str) -> str:
    return f"items.{bulk_id}"
