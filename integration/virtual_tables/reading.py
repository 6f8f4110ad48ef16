"""Reads rows of a set: pages of a query, one row, or how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from integration.errors import Outage
from integration.odata import quoted
from integration.systems.odata.listing import Listed, Listing, Tables
from integration.transport import CallContext
from integration.virtual_tables.edm import Value
from integration.virtual_tables.entity_set import ServedSet
from integration.virtual_tables.filters import Comparison, Filter, Row, columns_of, holds
from integration.virtual_tables.grammar import refused, unsupported
from integration.virtual_tables.options import Query, Sorting, token_after
from integration.virtual_tables.pushing import Dialect, Plan, plan

MOST_READ: Final = 5_000
"""Rows that are read where the system cannot filter or sort as it was asked; a query that needs more is refused."""
_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one answer; `count` where it was asked for, `following` the `$skiptoken` of the next one."""

    rows: list[dict[str, Value]]
    count: int | None = None
    following: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One row: as the system gave it, and as the set has it."""

    given: Mapping[str, Any]
    row: dict[str, Value]


class Reading:
    """Reads one set from its system. Raises what the system raises, and `Rejected` (501) for what it cannot answer."""

    def __init__(self, entity_set: ServedSet, dialect: Dialect, tables: Tables) -> None:
        self._set = entity_set
        self._dialect = dialect
        self._tables = tables

    async def page(self, query: Query, context: CallContext) -> Page:
        """The rows that a query asks for, as many as one answer may have."""
        made = plan(self._set, self._dialect, query.filter, query.order)
        wanted = query.page if query.top is None else min(query.top, query.page)
        if made.never:
            return Page([], 0 if query.count else None)
        if query.after is not None and made.order != self._set.by.unique:
            raise refused("$skiptoken is none of this list")
        if made.rest is None and made.ordered:
            if made.order == self._set.by.unique:
                return await self._by_number(query, made, wanted, context)
            return await self._passed_on(query, made, wanted, context)
        return await self._done_here(query, made, wanted, context)

    async def count(self, wanted: Filter | None, context: CallContext) -> int:
        """How many rows a filter lets through."""
        return (await self.page(Query(filter=wanted, top=0, count=True), context)).count or 0

    async def one(self, key: UUID, context: CallContext) -> Found | None:
        """The row of a key, if there is one."""
        made = plan(self._set, self._dialect, Comparison(self._set.declared.key, "eq", key), ())
        if made.never:
            return None
        if made.rest is None:
            rows = await self._some(context, Listing(top=1, filter=made.filter))
        else:
            rows = await self._rows(made, context)
        return next((it for it in rows if it.row[self._set.declared.key] == key), None)

    async def _by_number(self, query: Query, made: Plan, wanted: int, context: CallContext) -> Page:
        """As `_passed_on`; the next page begins behind the last number, whatever rows have come or gone meanwhile."""
        if query.after is None:
            listed = await self._listed(query, made, wanted, context)
            count = listed.count
        else:
            behind = f"{self._set.by.unique} gt {quoted(query.after)}"
            filtered = replace(made, filter=f"{made.filter} and {behind}" if made.filter else behind)
            listed = await self._listed(replace(query, count=False), filtered, wanted, context)
            count = await self._counted(made, context) if query.count else None
        page = self._page(query, listed, wanted, count)
        last = listed.rows[wanted - 1].get(self._set.by.unique) if page.following is not None else None
        return page if not isinstance(last, str) else replace(page, following=token_after(last))

    async def _passed_on(self, query: Query, made: Plan, wanted: int, context: CallContext) -> Page:
        """All is done by the system; one row more says whether there is a further page."""
        listed = await self._listed(query, made, wanted, context)
        return self._page(query, listed, wanted, listed.count)

    async def _listed(self, query: Query, made: Plan, wanted: int, context: CallContext) -> Listed:
        listing = Listing(
            top=wanted + 1, skip=query.skip, filter=made.filter, order=made.order,
            select=self._fields(query.select), count=query.count,
        )  # fmt: skip
        listed = await self._tables.listed(self._set.by.collection, listing, context=context)
        if query.count and listed.count is None:
            raise Outage(f"{self._set.name}: the system did not say how many rows there are", reason="erp-no-count")
        return listed

    async def _counted(self, made: Plan, context: CallContext) -> int | None:
        return (await self._listed(Query(top=0, count=True), made, 0, context)).count

    def _page(self, query: Query, listed: Listed, wanted: int, count: int | None) -> Page:
        rows = [self._read(it).row for it in listed.rows]
        return Page(rows[:wanted], count, _following(query, wanted, more=len(rows) > wanted))

    async def _done_here(self, query: Query, made: Plan, wanted: int, context: CallContext) -> Page:
        """The rest of the filter, and the order where the system cannot sort so, over at most `MOST_READ` rows."""
        found = [it.row for it in await self._rows(made, context)]
        if made.rest is not None:
            found = [row for row in found if holds(made.rest, row)]
        if not made.ordered:
            found = _sorted(found, query.order)
        rows = found[query.skip : query.skip + wanted]
        more = len(found) > query.skip + wanted
        return Page(rows, len(found) if query.count else None, _following(query, wanted, more=more))

    async def _rows(self, made: Plan, context: CallContext) -> list[Found]:
        """All rows that the passed on filter lets through; refused (501) where they are more than `MOST_READ`."""
        found: list[Found] = []
        while True:
            top = min(_AT_ONCE, MOST_READ + 1 - len(found))
            rows = await self._some(context, Listing(top=top, skip=len(found), filter=made.filter, order=made.order))
            found += rows
            if len(found) > MOST_READ:
                raise self._too_many(made)
            if len(rows) < top:
                return found

    async def _some(self, context: CallContext, listing: Listing) -> list[Found]:
        listed = await self._tables.listed(self._set.by.collection, listing, context=context)
        return [self._read(it) for it in listed.rows]

    def _read(self, given: Mapping[str, Any]) -> Found:
        try:
            return Found(given, self._set.row(given))
        except (ValueError, KeyError) as wrong:
            raise Outage(
                f"{self._set.name}: a row of the system is not as declared: {wrong}", reason="erp-row-unreadable"
            ) from wrong

    def _fields(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The fields that are read for these columns, with those of the key and the number."""
        names = [self._set.by.fields[it].name for it in columns if it in self._set.by.fields]
        return tuple(dict.fromkeys([self._set.by.key.field, self._set.by.unique, *names]))

    def _too_many(self, made: Plan) -> Exception:
        columns = "" if made.rest is None else f" by {', '.join(sorted(set(columns_of(made.rest))))}"
        what = "sort its rows as it is asked" if made.rest is None else f"filter its rows{columns} as it is asked"
        return unsupported(
            f"The system behind {self._set.name} cannot {what}, and more than {MOST_READ} rows would have to be read "
            "to do it here; filter by another column as well"
        )


def _following(query: Query, wanted: int, *, more: bool) -> str | None:
    """Where the server's own next page begins: never where the client's `$top` was met."""
    return str(query.skip + wanted) if more and (query.top is None or query.top > wanted) else None


def _sorted(rows: list[Row] | list[dict[str, Value]], order: Sequence[Sorting]) -> list[Any]:
    """By each part, the last one first; nulls are smaller than anything, texts without case."""
    for part in reversed(order):
        rows = sorted(rows, key=lambda row: _rank(row.get(part.column)), reverse=part.descending)
    return list(rows)


def _rank(value: Value) -> tuple[bool, Any]:
    if value is None:
        return False, 0
    return True, value.casefold() if isinstance(value, str) else value
