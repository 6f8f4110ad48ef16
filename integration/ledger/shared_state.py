"""What all instances share about the outside systems: one row each, written with optimistic concurrency."""

import json
from collections.abc import Mapping
from typing import Any

from integration.errors import Conflict
from integration.tables import EntityExists, PreconditionFailed, Table

_ROW = "state"


class TableState:
    """The store of circuit breakers, pauses and instances (`integration.protection.SharedState`) in one table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self, key: str) -> tuple[dict[str, Any] | None, str | None]:
        """The document stored under `key` and its ETag; `None, None` if there is none."""
        found = await self._table.get(key, _ROW)
        if found is None:
            return None, None
        content: dict[str, Any] = json.loads(str(found.entity["state"]))
        return content, found.etag

    async def write(self, key: str, value: Mapping[str, Any], etag: str | None) -> str:
        """Store `value` if `etag` is still current (None: if nothing is stored yet); returns the new ETag.

        Raises `Conflict` if another instance has written meanwhile.
        """
        entity = {"PartitionKey": key, "RowKey": _ROW, "state": json.dumps(value, separators=(",", ":"))}
        try:
            if etag is None:
                return await self._table.insert(entity)
            return await self._table.replace(entity, etag=etag)
        except (EntityExists, PreconditionFailed) as error:
            raise Conflict(f"the state of {key} was written by another instance") from error
