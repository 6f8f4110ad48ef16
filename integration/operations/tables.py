"""Pausing and resuming the events of a table by hand, for all instances."""

from collections.abc import Collection

from integration.errors import Rejected
from integration.events.model import is_of_another_system
from integration.operations.audit import Audit, Subject
from integration.protection import Pause, TablePauses


class TableControl:
    """Over the pauses of tables. Raises `Rejected` (404) for tables of which nothing is handled, `Transient`.

    While a table is paused its events wait without ageing, on all instances within seconds, and none is dead-lettered;
    after a resume each goes on at its next attempt. Events of other tables go on, also where they bring a record of a
    paused one to another system, as an order does with its customer: to hold a system's calls back, pause the system.
    """

    def __init__(self, pauses: TablePauses, tables: Collection[str], audit: Audit) -> None:
        self._pauses = pauses
        self._tables = tables
        self._audit = audit

    @property
    def of_dataverse(self) -> Collection[str]:
        """Those of Dataverse, without records of other systems."""
        return [table for table in self._tables if not is_of_another_system(table)]

    async def pause(self, table: str, *, by: str, why: str) -> Pause:
        """Hold the table's events back until somebody resumes."""
        self._check(table)
        async with self._audit.action("pause", Subject(table=table), by=by, why=why) as entry:
            return await self._pauses.pause(table, by=by, why=entry.why)

    async def resume(self, table: str, *, by: str, why: str) -> None:
        """Let the table's events go on."""
        self._check(table)
        async with self._audit.action("resume", Subject(table=table), by=by, why=why):
            await self._pauses.resume(table)

    async def states(self) -> dict[str, Pause | None]:
        """Each table, and its pause where it is paused."""
        paused = await self._pauses.paused()
        return {table: paused.get(table) for table in self._tables}

    def _check(self, table: str) -> None:
        if table not in self._tables:
            names = ", ".join(self._tables)
            raise Rejected(404, "Unknown table", f"No events of {table[:100]} are handled; there are {names}.")
