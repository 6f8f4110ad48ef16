"""Microsoft's azure-data-tables with the methods of `integration.tables.Table`, as far as both are tested alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient

from integration.tables import EntityExists, Page, PreconditionFailed, TableRejected, Versioned


class SdkTable:
    """A table through the SDK; it must exist."""

    def __init__(self, client: TableClient) -> None:
        self.client = client
        self.name = client.table_name

    async def get(self, partition: str, row: str) -> Versioned | None:
        try:
            found = await self.client.get_entity(partition, row)
        except ResourceNotFoundError:
            return None
        return Versioned(dict(found), str(found.metadata["etag"]))

    async def insert(self, entity: Mapping[str, Any]) -> str:
        try:
            return str((await self.client.create_entity(dict(entity)))["etag"])
        except ResourceExistsError as error:
            raise EntityExists(str(error)) from error

    async def insert_new(self, entity: Mapping[str, Any]) -> bool:
        try:
            await self.insert(entity)
        except EntityExists:
            return False
        return True

    async def merge(self, entity: Mapping[str, Any]) -> None:
        await self.client.upsert_entity(dict(entity), mode=UpdateMode.MERGE)

    async def replace(self, entity: Mapping[str, Any], *, etag: str | None) -> str:
        if etag is None:
            return str((await self.client.upsert_entity(dict(entity), mode=UpdateMode.REPLACE))["etag"])
        try:
            written = await self.client.update_entity(
                dict(entity), mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise PreconditionFailed(str(error)) from error
        return str(written["etag"])

    async def delete(self, partition: str, row: str, *, etag: str = "*") -> bool:
        known = await self.get(partition, row)
        condition = MatchConditions.Unconditionally if etag == "*" else MatchConditions.IfNotModified
        try:
            await self.client.delete_entity(
                partition, row, etag=None if etag == "*" else etag, match_condition=condition
            )
        except ResourceModifiedError as error:
            raise PreconditionFailed(str(error)) from error
        return known is not None

    async def merge_all(self, entities: Sequence[Mapping[str, Any]]) -> None:
        partitions: dict[str, list[Mapping[str, Any]]] = {}
        for entity in entities:
            partitions.setdefault(str(entity["PartitionKey"]), []).append(entity)
        for rows in partitions.values():
            for start in range(0, len(rows), 100):
                chunk = [("upsert", dict(row), {"mode": UpdateMode.MERGE}) for row in rows[start : start + 100]]
                try:
                    await self.client.submit_transaction(chunk)
                except TableTransactionError as error:
                    raise TableRejected(str(error)) from error

    async def page(
        self,
        where: str | None,
        *,
        select: Sequence[str] = (),
        top: int = 1_000,
        following: Mapping[str, str] | None = None,
    ) -> Page:
        listed = self.client.query_entities(where or "", results_per_page=top, select=list(select) or None)
        pages: Any = listed.by_page(following)  # type: ignore[arg-type]  # a mapping, whatever its annotation
        entities = [dict(it) async for it in await anext(pages)]
        return Page(entities, pages.continuation_token or None)
