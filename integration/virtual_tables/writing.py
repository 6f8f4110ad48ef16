"""Creates, changes and deletes rows of a set in its system.

Only writable columns are taken, with values of their types; what is sent beyond them is refused. A row is changed with
the ETag that it had when it was read, so that nobody's change is lost unseen.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from integration.errors import NotFound, OutcomeUnknown, Rejected, Transient
from integration.systems.odata.calls import ETAG
from integration.systems.odata.listing import Listing, Tables
from integration.transport import CallContext
from integration.virtual_tables.auditing import CHANGED, CREATED, DELETED, WriteAudit
from integration.virtual_tables.edm import Edm, Value, from_json
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.reading import Found, Reading

_LOOKS: Final = 3
"""How often a row is looked for that was created a moment ago."""


class Writing:
    """Writes the rows of one set. Raises what the system raises, and `Rejected` (400, 405, 412).

    `numbers` makes the number of a new row of the key that Dataverse sends, for systems that take numbers.
    """

    def __init__(
        self, entity_set: ServedSet, reading: Reading, tables: Tables, numbers: Callable[[str], str] | None
    ) -> None:
        self._set = entity_set
        self._reading = reading
        self._tables = tables
        self._numbers = numbers

    async def create(self, body: bytes, context: CallContext, audit: WriteAudit) -> Found:
        """A new row, as the system has it, which also gives it its key.

        A key that is sent becomes the row's number where none is sent, so that a request which comes again, because its
        answer was lost, finds what it created. Without either, nobody can tell the two apart.
        """
        if not self._set.declared.creates or self._set.by.read_only:
            raise _not_allowed(f"Rows of {self._set.name} cannot be created")
        content = _object(body)
        values = self._values(content, creating=True)
        number = self._number_for(content, values)
        missing = [it.name for it in self._set.columns if it.required and it.writable and values.get(it.name) is None]
        if missing:
            raise _invalid(f"{', '.join(missing)} must be sent")
        there = await self._numbered(number, context)
        if there is not None:
            return there
        sent = {**self._set.by.defaults, **self._raw(values), **({self._set.by.unique: number} if number else {})}
        changes = {name: (None, value) for name, value in values.items()}
        async with audit.write(CREATED, self._set, "", changes) as entry:
            found = await self._created(sent, number, context)
            entry.outcome = f"done: {found.row[self._set.declared.key]}"
        return found

    async def _created(self, sent: dict[str, Any], number: str, context: CallContext) -> Found:
        creation = await self._tables.create(self._set.by.collection, sent, context=context)
        if creation.row:
            return Found(creation.row, self._set.row(creation.row))
        there = await self._numbered(number, context) if creation.unknown else None
        if there is not None:
            return there
        if creation.unknown:
            raise OutcomeUnknown(
                f"The system did not answer whether the row of {self._set.name} was created; look for it before it is "
                "created once more",
                reason="erp-outcome-unknown",
            ) from creation.error
        raise creation.error or Transient("The system answered with no row", reason="erp-unreadable-answer")

    async def update(self, key: UUID, body: bytes, if_match: str, context: CallContext, audit: WriteAudit) -> Found:
        """The row with its changes; one that has these values already is not written."""
        values = self._values(_object(body), creating=False)
        found = await self._current(key, if_match, context)
        changes = {name: value for name, value in values.items() if found.row.get(name) != value}
        if changes:
            both = {name: (found.row.get(name), value) for name, value in changes.items()}
            async with audit.write(CHANGED, self._set, key, both):
                await self._tables.update(self._set.by.collection, found.given, self._raw(changes), context=context)
        return await self._seen(key, context)

    async def delete(self, key: UUID, if_match: str, context: CallContext, audit: WriteAudit) -> None:
        """The row is gone afterwards."""
        if not self._set.declared.deletes or self._set.by.read_only:
            raise _not_allowed(f"Rows of {self._set.name} cannot be deleted")
        found = await self._current(key, if_match, context)
        gone = {it.name: (found.row.get(it.name), None) for it in self._set.columns}
        async with audit.write(DELETED, self._set, key, gone):
            await self._tables.delete(self._set.by.collection, found.given, context=context)

    def _number_for(self, content: Mapping[str, Any], values: Mapping[str, Value]) -> str:
        """The number that the new row gets of the key that is sent; empty where a number is sent, or no key."""
        column = next((name for name, it in self._set.by.fields.items() if it.name == self._set.by.unique), "")
        key = content.get(self._set.declared.key)
        if self._numbers is None or key is None or values.get(column) is not None:
            return ""
        try:
            return self._numbers(str(from_json(key, Edm.GUID)))
        except ValueError:
            raise _invalid(f"The value of {self._set.declared.key} is not a GUID") from None

    async def _numbered(self, number: str, context: CallContext) -> Found | None:
        if not number:
            return None
        wanted = Listing(top=1, filter=f"{self._set.by.unique} eq '{number}'")
        listed = await self._tables.listed(self._set.by.collection, wanted, context=context)
        return Found(listed.rows[0], self._set.row(listed.rows[0])) if listed.rows else None

    async def _current(self, key: UUID, if_match: str, context: CallContext) -> Found:
        found = await self._reading.one(key, context)
        if found is None:
            raise NotFound(f"{self._set.name} has no row {key}", reason="row-not-found")
        if if_match not in {"", "*"} and if_match != found.given.get(ETAG):
            raise Rejected(
                412, "The row has changed", f"The row {key} was changed since it was read; read it again.",
                reason="row-changed",
            )  # fmt: skip
        return found

    async def _seen(self, key: UUID, context: CallContext) -> Found:
        for again in range(_LOOKS):
            found = await self._reading.one(key, context)
            if found is not None:
                return found
            await asyncio.sleep(0.1 * (again + 1))
        raise NotFound(f"{self._set.name} has no row {key} any more", reason="row-not-found")

    def _raw(self, values: Mapping[str, Value]) -> dict[str, Any]:
        raw = {}
        for name, value in values.items():
            there = self._set.by.fields[name]
            empty = next(iter(sorted(there.nothing, key=str)), None)
            raw[there.name] = there.raw(value) if value is not None else empty
        return raw

    def _values(self, content: Mapping[str, Any], *, creating: bool) -> dict[str, Value]:
        """The columns of a body; raises `Rejected` (400)."""
        columns = {it.name: it for it in self._set.columns}
        values: dict[str, Value] = {}
        for name, given in content.items():
            if name == self._set.declared.key or "@" in name:
                continue
            column = columns.get(name)
            if column is None:
                raise _invalid(f"'{name[:60]}' is no column of {self._set.name} (names are case-sensitive)")
            if not column.writable:
                if creating and given is None:
                    continue
                raise _invalid(f"{name} cannot be written")
            try:
                value = from_json(given, column.edm)
            except ValueError as wrong:
                raise _invalid(f"The value of {name} {wrong}") from None
            if value is None and column.required and not creating:
                raise _invalid(f"{name} must have a value")
            if isinstance(value, str) and column.edm is Edm.STRING and len(value) > column.length:
                raise _invalid(f"The value of {name} has {len(value)} characters; {column.length} are allowed")
            if value is not None or not creating:
                values[name] = value
        return values


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise _invalid("The body is not JSON") from None
    if not isinstance(content, dict):
        raise _invalid("The body is not a JSON object")
    return content


def _invalid(said: str) -> Rejected:
    return Rejected(400, "The row cannot be written", said + ".", reason="row-invalid")


def _not_allowed(said: str) -> Rejected:
    return Rejected(405, "This is not allowed", said + ".", reason="not-allowed")
