"""Which rows of a table a query finds, and in which order."""

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any
from urllib.parse import quote

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.odata_filter import column_operand, compile_filter
from sandbox.systems.dataverse.query import Query
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store

_OF_A_KEY = re.compile(r"(\w+) eq ([0-9a-f-]{36})")


class Selection:
    """Finds rows."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema = store, schema

    def matching(self, table: Table, query: Query, *, among: Iterable[Row] | None = None) -> list[Row]:
        """Rows of a table, or `among` some of them, that pass the filter, in order."""
        rows = list(filter(self._test(table, query), self._store.rows(table.name) if among is None else among))
        rows.sort(key=lambda row: row.id)
        for name, descending in reversed(query.order):
            _, operand = column_operand(name, table, self._schema, self._store)
            rows.sort(key=lambda row, of=operand: sort_key(of(row)), reverse=descending)  # type: ignore[misc]
        return rows

    def behind(self, table: Table, query: Query, last: str, most: int) -> list[Row]:
        """So many rows at most that pass the filter, in the order of their primary keys, behind the row `last`.

        It reads no more of the table than it has to, so that all pages of a large one take the time of reading it once;
        and of rows that the filter names by their primary keys, only these.
        """
        test, ids = self._test(table, query), _named(table, query)
        if ids is None:
            return list(islice(filter(test, self._store.behind(table.name, last)), most))
        found = (self._store.get(table.name, row_id) for row_id in sorted(ids) if row_id > last)
        return list(islice(filter(test, filter(None, found)), most))

    def _test(self, table: Table, query: Query) -> Callable[[Row], object] | None:
        if query.filter is None:
            return None
        return compile_filter(query.filter, table, self._schema, self._store, query.aliases)


def _named(table: Table, query: Query) -> set[str] | None:
    """The primary keys in `accountid eq ... or accountid eq ...`; None for any other filter."""
    named = [_OF_A_KEY.fullmatch(it) for it in (query.filter or "").lower().split(" or ")]
    found = [it[2] for it in named if it is not None and it[1] == table.id_column]
    return set(found) if len(found) == len(named) else None


def sort_key(value: Any) -> tuple[bool, Any]:
    """Nothing comes first."""
    return (value is not None, value)


def page_cookie(size: int, offset: int, last: str = "") -> str:
    """The `$skiptoken` of the page that begins at `offset`, behind the row `last`."""
    return f'<cookie pagenumber="{offset // size + 1}" offset="{offset}" last="{last}" istracking="False" />'


def link_with(call: Call, name: str, value: str, *, without: str = "") -> str:
    """The address of the call with this option besides, in place of one of the same name."""
    kept = {key: text for key, text in call.query.items() if key not in {name, without, "$deltatoken"}}
    if name == "$skiptoken" and "$deltatoken" in call.query:
        kept["$deltatoken"] = call.query["$deltatoken"]
    options = "&".join(f"{key}={quote(text, safe='')}" for key, text in (kept | {name: value}).items())
    return f"{call.address}?{options}"
