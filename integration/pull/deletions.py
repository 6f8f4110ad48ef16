"""Rows that the ledger knows and Dataverse does not: found without change tracking, a hundred with each request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from integration.dataverse import DataverseClient
from integration.ledger import Ledger, keys
from integration.pull.tables import PulledTable

AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Missing:
    """Of `looked` records of the ledger those whose rows are `deleted`; `following` is what the next page asks for."""

    looked: int
    deleted: Sequence[str]
    following: Mapping[str, str] | None


class Deletions:
    """Reads the records of a table page by page, and asks Dataverse which of their rows exist."""

    def __init__(self, ledger: Ledger, dataverse: DataverseClient) -> None:
        self._ledger = ledger
        self._dataverse = dataverse

    async def page(self, of: PulledTable, following: Mapping[str, str] | None) -> Missing:
        """The records of one page; those that were found deleted before are left out."""
        first, behind = f"{of.table}:", f"{of.table};"
        where = f"RowKey ge '{first}' and RowKey lt '{behind}' and deleted eq ''"
        page = await self._ledger.table(keys.RECORDS).page(where, select=["RowKey"], top=AT_ONCE, following=following)
        ids = [str(entity["RowKey"]).removeprefix(first) for entity in page.entities]
        if not ids:
            return Missing(0, (), page.following)
        rows, _ = await self._dataverse.page(
            of.entity_set,
            id_column=of.id_column,
            select=(),
            size=AT_ONCE,
            where=" or ".join(f"{of.id_column} eq {it}" for it in ids),
        )
        there = {row.id for row in rows}
        return Missing(len(ids), [it for it in ids if it not in there], page.following)
