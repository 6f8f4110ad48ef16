"""Which rows of a table a query finds, and in which order."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any
from urllib.parse import quote

from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.odata_filter import column_operand, compile_filter
from sandbox.systems.dataverse.query import Query
from sandbox.systems.dataverse.schema import Schema, Table
from sandbox.systems.dataverse.store import Row, Store


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

        It reads no more of the table than it has to, so that all pages of a large one take the time of reading it once.
        """
        return list(islice(filter(self._test(table, query), self._store.behind(table.name, last)), most))

    def _test(self, table: Table, query: Query) -> Callable[[Row], object] | None:
        if query.filter is None:
            return None
        return compile_filter(query.filter, table, self._schema, self._store, query.aliases)


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
