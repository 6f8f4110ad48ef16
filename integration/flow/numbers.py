"""The rows of Dataverse that have a number of another system, found by the alternate key that holds it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from integration.dataverse import DataverseClient
from integration.errors import Permanent
from integration.flow.flow import Flow


class RowsByNumber:
    """Asks Dataverse once for each key column of the flows. Raises `Transient` where Dataverse is away."""

    def __init__(self, flows: Iterable[Flow[Any]], dataverse: DataverseClient, *, prefix: str) -> None:
        self._keys = [(flow, f"{prefix}_{it.name}") for flow in flows for it in flow.results if it.key]
        self._dataverse = dataverse

    async def find(self, number: str) -> list[tuple[str, str]]:
        """Table and id of each row whose number this is."""
        found = await asyncio.gather(*(self._row(flow, column, number) for flow, column in self._keys))
        return [it for it in found if it is not None]

    async def _row(self, flow: Flow[Any], column: str, number: str) -> tuple[str, str] | None:
        try:
            row = await self._dataverse.find(
                flow.entity_set, (column, number), id_column=f"{flow.table}id", select=(column,)
            )
        except Permanent:  # somebody has typed what can be no key
            return None
        return None if row is None else (flow.table, row.id)
