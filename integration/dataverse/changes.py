"""Change tracking: the rows of a table that were created, changed or deleted since a link was given.

Source: "Use change tracking to synchronize data with external systems" (learn.microsoft.com). The table has to have
change tracking enabled, and the application user needs organisation-wide read access to it. Links hold for seven days,
if the environment does not say otherwise (`ExpireChangeTrackingInDays` of the organisation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field

from integration.dataverse.client import DataverseClient
from integration.dataverse.row import Row, read_row
from integration.errors import IntegrationError, Permanent
from integration.odata import columns, literal, name, query, record_id
from integration.transport import validated

EXPIRED: Final = "change-tracking-expired"
OFF: Final = "change-tracking-off"
_API: Final = "/api/data/v9.2/"


@dataclass(frozen=True, slots=True)
class Changes:
    """One page: the rows as they are now, and the ids of those that were deleted.

    `link` is what is asked for next: the next page, or after the `last` one what will have changed by then.
    """

    rows: Sequence[Row]
    deleted: Sequence[str]
    link: str
    last: bool


class _Page(BaseModel):
    context: str = Field(alias="@odata.context")
    value: list[dict[str, Any]]
    next_link: str = Field(default="", alias="@odata.nextLink")
    delta_link: str = Field(default="", alias="@odata.deltaLink")


class _Definition(BaseModel):
    tracked: bool = Field(alias="ChangeTrackingEnabled")


class ChangeTracking:
    """Reads the changes of tables, `size` rows a page."""

    def __init__(self, dataverse: DataverseClient, *, size: int) -> None:
        self._dataverse = dataverse
        self._size = size

    async def page(
        self, table: str, entity_set: str, *, id_column: str, select: Sequence[str], link: str = ""
    ) -> Changes:
        """The page behind `link`; without one, the first page of all rows, as a first synchronisation has them.

        Raises `Permanent`: change-tracking-expired for a link that does not hold any more, change-tracking-off for a
        table without change tracking; and what the client raises.
        """
        first = name(entity_set) + query({"$select": columns([*select, id_column, "versionnumber"])})
        prefer = f"odata.track-changes,odata.maxpagesize={self._size}"
        try:
            answer = await self._dataverse.get(f"changes of {entity_set}", link or first, prefer=prefer, named=select)
        except Permanent as error:
            if error.reason == EXPIRED or link:
                raise Permanent(str(error), reason=EXPIRED, service=error.service) from error
            await self._check_enabled(table)
            raise
        found = validated(_Page, answer)
        if not (found.next_link or found.delta_link):  # the preference was passed over
            await self._check_enabled(table)
            raise Permanent(f"changes of {table} come without a link", reason=OFF, service="dataverse")
        shared = {"@odata.context": found.context}
        return Changes(
            rows=[
                read_row(entity_set, record_id(str(it[id_column])), shared | it)
                for it in found.value
                if not _is_deletion(it)
            ],
            deleted=[record_id(str(it["id"])) for it in found.value if _is_deletion(it)],
            link=(found.next_link or found.delta_link).partition(_API)[2],
            last=not found.next_link,
        )

    async def _check_enabled(self, table: str) -> None:
        address = f"EntityDefinitions(LogicalName={literal(table)})" + query({"$select": "ChangeTrackingEnabled"})
        try:
            answer = await self._dataverse.get(f"definition of {table}", address)
        except IntegrationError:  # the app's user need not be allowed to see it: then the refusal itself has to do
            return
        if not validated(_Definition, answer).tracked:
            raise Permanent(
                f"the table {table} has no change tracking: let run.py dataverse apply enable it (change-tracking = "
                "true in dataverse.toml), or set 'Track changes' in the table's properties; else take change_tracking "
                "from its flow",
                reason=OFF,
                service="dataverse",
            )


def _is_deletion(item: dict[str, Any]) -> bool:
    return str(item.get("@odata.context", "")).endswith("/$deletedEntity")
