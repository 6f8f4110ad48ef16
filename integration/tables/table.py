"""One table: point reads, conditional writes, queries by page, transactions of one partition."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from integration.batching import each
from integration.tables.account import Account
from integration.tables.batch import batch_body, batch_failure
from integration.tables.entity import Entity, Property, Versioned, checked_key, decode, encode
from integration.tables.errors import MISSING, SERVICE, EntityExists, PreconditionFailed, code_of, table_failure
from integration.transport import Response, Transport

LARGEST_TRANSACTION = 100
"""Entities that one transaction takes (learn.microsoft.com, "Performing entity group transactions")."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entities of one answer; `following` continues the query, and is None at its end."""

    entities: list[Entity]
    following: Mapping[str, str] | None


class Table:
    """A table by name; it is created when a write finds it missing, and reads as empty until then.

    Raises `Outage` if something other than Tables answers or nothing does, `TableRejected` if a call is wrong.
    """

    def __init__(self, account: Account, transport: Transport, name: str) -> None:
        self._account = account
        self._transport = transport
        self.name = name

    async def get(self, partition: str, row: str) -> Versioned | None:
        """The entity and its ETag, or None if there is none."""
        answer = await self._send("read", "GET", self._address(partition, row))
        if answer.status == 404:
            if code_of(answer) in MISSING:
                return None
            raise table_failure(answer)
        return Versioned(decode(_read(answer)), answer.headers.get("etag", ""))

    async def insert(self, entity: Mapping[str, Property]) -> str:
        """Write a new entity and return its ETag. Raises `EntityExists`."""
        headers = {**_JSON, "Prefer": "return-no-content"}
        answer = await self._write("insert", "POST", self.name, headers, encode(entity))
        return answer.headers.get("etag", "")

    async def insert_new(self, entity: Mapping[str, Property]) -> bool:
        """Write a new entity; returns False if there is one already, which stays as it is."""
        try:
            await self.insert(entity)
        except EntityExists:
            return False
        return True

    async def merge(self, entity: Mapping[str, Property]) -> None:
        """Write these properties and keep the others; creates the entity if there is none."""
        await self._write("merge", "MERGE", self._address_of(entity), _JSON, encode(entity))

    async def replace(self, entity: Mapping[str, Property], *, etag: str | None) -> str:
        """Write the whole entity and return its new ETag.

        Raises `PreconditionFailed` if `etag` is no longer its version, or if it was deleted. Without an ETag the entity
        is written in any case.
        """
        address, body = self._address_of(entity), encode(entity)
        if etag is None:
            return (await self._write("replace", "PUT", address, _JSON, body)).headers.get("etag", "")
        answer = await self._send("replace", "PUT", address, {**_JSON, "If-Match": etag}, body)
        if answer.status == 404 and code_of(answer) in MISSING:
            raise PreconditionFailed(f"the entity to be replaced in {self.name} was deleted", service=SERVICE)
        if not answer.ok:
            raise table_failure(answer)
        return answer.headers.get("etag", "")

    async def delete(self, partition: str, row: str, *, etag: str = "*") -> bool:
        """Delete the entity; returns False if there is none.

        Raises `PreconditionFailed` if an `etag` is given and is no longer its version.
        """
        answer = await self._send("delete", "DELETE", self._address(partition, row), {"If-Match": etag})
        if answer.status == 404 and code_of(answer) in MISSING:
            return False
        if not answer.ok:
            raise table_failure(answer)
        return True

    async def merge_all(self, entities: Sequence[Mapping[str, Property]]) -> None:
        """Merge many entities: those of one partition in transactions, partitions side by side."""
        partitions: dict[str, dict[str, Mapping[str, Property]]] = {}
        for entity in entities:
            of_partition = partitions.setdefault(str(entity["PartitionKey"]), {})
            key = str(entity["RowKey"])
            of_partition[key] = {**of_partition.get(key, {}), **entity}
        chunks = [
            of_partition[start : start + LARGEST_TRANSACTION]
            for of_partition in (list(rows.values()) for rows in partitions.values())
            for start in range(0, len(of_partition), LARGEST_TRANSACTION)
        ]
        if len(chunks) == 1:
            await self._merge_chunk(chunks[0])
        else:
            await each(self._merge_chunk, chunks)

    async def page(
        self,
        where: str | None,
        *,
        select: Sequence[str] = (),
        top: int = 1_000,
        following: Mapping[str, str] | None = None,
    ) -> Page:
        """One page of the entities for which the OData filter `where` holds; all of them without one."""
        query = {"$top": str(top), **({"$filter": where} if where else {}), **(following or {})}
        if select:
            query["$select"] = ",".join(select)
        options = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in query.items())
        answer = await self._send("query", "GET", f"{self.name}()?{options}")
        if answer.status == 404 and code_of(answer) in MISSING:
            return Page([], None)
        document = _read(answer)
        keys = {
            name: answer.headers[f"x-ms-continuation-{name.lower()}"]
            for name in ("NextPartitionKey", "NextRowKey")
            if f"x-ms-continuation-{name.lower()}" in answer.headers
        }
        return Page([decode(it) for it in document["value"]], keys or None)

    async def pages(
        self, where: str | None = None, *, select: Sequence[str] = (), top: int = 1_000
    ) -> AsyncIterator[list[Entity]]:
        """All entities for which `where` holds, page by page; an empty page may be followed by others."""
        following: Mapping[str, str] | None = None
        while True:
            page = await self.page(where, select=select, top=top, following=following)
            yield page.entities
            if page.following is None:
                return
            following = page.following

    async def query(self, where: str | None = None, *, select: Sequence[str] = ()) -> AsyncIterator[Entity]:
        """All entities for which `where` holds, read page by page."""
        async for entities in self.pages(where, select=select):
            for entity in entities:
                yield entity

    async def first(self, where: str, most: int, *, select: Sequence[str] = ()) -> list[Entity]:
        """The first `most` entities for which `where` holds."""
        found: list[Entity] = []
        async for entities in self.pages(where, select=select, top=min(most, 1_000)):
            found += entities
            if len(found) >= most:
                break
        return found[:most]

    async def drop(self) -> None:
        """Delete the table with all that is in it."""
        await self._account.delete_table(self._transport, self.name)

    async def _merge_chunk(self, entities: Sequence[Mapping[str, Property]]) -> None:
        if len(entities) == 1:
            await self.merge(entities[0])
            return
        content_type, body = batch_body(
            [(f"{self._account.endpoint}/{self._address_of(entity)}", encode(entity)) for entity in entities]
        )
        headers, parts = {"Content-Type": content_type}, len(entities)
        failed = batch_failure(await self._send("merge many", "POST", "$batch", headers, body), parts)
        if failed is not None and code_of(failed) == "TableNotFound":
            await self._account.create_table(self._transport, self.name)
            failed = batch_failure(await self._send("merge many", "POST", "$batch", headers, body), parts)
        if failed is not None:
            raise table_failure(failed)

    async def _write(self, operation: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        answer = await self._send(operation, method, path, headers, body)
        if answer.status == 404 and code_of(answer) == "TableNotFound":
            await self._account.create_table(self._transport, self.name)
            answer = await self._send(operation, method, path, headers, body)
        if not answer.ok:
            raise table_failure(answer)
        return answer

    async def _send(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Mapping[str, str] = {},
        body: bytes | None = None,
    ) -> Response:
        return await self._account.send(
            self._transport, f"{operation} {self.name}", method, path, headers=dict(headers), body=body
        )

    def _address_of(self, entity: Mapping[str, Property]) -> str:
        return self._address(str(entity["PartitionKey"]), str(entity["RowKey"]))

    def _address(self, partition: str, row: str) -> str:
        return f"{self.name}(PartitionKey='{_key(partition)}',RowKey='{_key(row)}')"


def quoted(value: str) -> str:
    """`value` for use between the apostrophes of a filter."""
    return value.replace("'", "''")


def _key(value: str) -> str:
    return quote(quoted(checked_key(value)), safe="")


def _read(answer: Response) -> dict[str, list[dict[str, object]]]:
    if not answer.ok:
        raise table_failure(answer)
    document: dict[str, list[dict[str, object]]] = answer.json()
    return document


_JSON = {"Content-Type": "application/json"}
