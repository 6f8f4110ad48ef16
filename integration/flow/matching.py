"""The rows of a flow's table, page by page, with the customer of another system that each would be matched with."""

from collections.abc import Mapping
from typing import Any, Final

from integration.dataverse import DataverseClient
from integration.errors import Rejected
from integration.flow.flow import Flow
from integration.flow.handler import reads_of
from integration.systems import CustomerMatch
from integration.worker.write_back import WriteBack

ROWS: Final = 25
"""Rows of a page: each costs a call to the system or more."""


class FlowMatching:
    """Looks without changing anything. Raises what Dataverse and the system raise, `Rejected` (404) as said below."""

    def __init__(
        self,
        flows: Mapping[str, Flow[Any]],
        dataverse: DataverseClient,
        write_back: WriteBack,
        systems: Mapping[str, object],
    ) -> None:
        self._flows = {table: flow for table, flow in flows.items() if flow.match is not None}
        self._dataverse = dataverse
        self._write_back = write_back
        self._systems = systems

    async def page(self, table: str, following: str) -> tuple[list[tuple[str, CustomerMatch]], str]:
        """The rows' ids with what would become of each, and what the next page is asked for with.

        Raises `Rejected` (404) for a table whose rows are matched with nothing.
        """
        flow = self._flows.get(table)
        if flow is None or flow.match is None:
            names = ", ".join(sorted(self._flows))
            raise Rejected(
                404, "Unknown table", f"Rows of {table[:100]} are matched with nothing; those of {names} are."
            )
        rows, following = await self._dataverse.page(
            flow.entity_set,
            id_column=flow.id_column,
            select=reads_of(flow, self._write_back).select,
            size=ROWS,
            following=following,
        )
        system = self._systems[flow.match.system]
        found = []
        for row in rows:
            columns = flow.columns(row, prefix=self._write_back.prefix)
            found.append((row.id, await flow.match.ask(columns, system)))
        return found, following
