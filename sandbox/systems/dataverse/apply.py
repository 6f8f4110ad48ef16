"""`$apply` on an entity set: `filter(...)/`, `groupby((...),aggregate(...))` and `aggregate(...)`.

Source: "Aggregate data using OData" in Microsoft's documentation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.aggregation import NUMERIC, grouped, reckoned
from sandbox.systems.dataverse.call import Call
from sandbox.systems.dataverse.errors import bad_request, not_simulated
from sandbox.systems.dataverse.odata_filter import column_operand
from sandbox.systems.dataverse.query import Preferences, Query, split
from sandbox.systems.dataverse.representation import FORMATTED
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.selection import Selection
from sandbox.systems.dataverse.store import Row, Store

_STEP = re.compile(r"(?P<name>filter|groupby|aggregate)\((?P<inner>.*)\)", re.DOTALL)
_AGGREGATE = re.compile(r"(?:(?P<count>\$count)|(?P<path>[\w/]+)\s+with\s+(?P<function>\w+))\s+as\s+(?P<alias>\w+)")
_FUNCTIONS = {"sum": "sum", "average": "avg", "min": "min", "max": "max"}


@dataclass(frozen=True)
class _Cell:
    """A column of the result: its name, and its value for a group of rows."""

    name: str
    column: Column | None
    value: Callable[[list[Row]], Any]


class Apply:
    """Answers `$apply`."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema, self._selection = store, schema, Selection(store, schema)

    def page(self, table: Table, call: Call) -> dict[str, Any]:
        """The groups, or one row for all."""
        others = [name for name in call.query if name.startswith("$") and name != "$apply"]
        if others:
            raise not_simulated(f"The query option {others[0]} together with $apply")
        steps = split(call.query["$apply"], "/")
        query, keys, cells = Query(), list[_Cell](), list[_Cell]()
        for number, step in enumerate(steps):
            found = _STEP.fullmatch(step)
            if found is None:
                raise bad_request(f"Term '{step}' is not valid in a $apply expression.")
            if found["name"] == "filter" and number == 0 and len(steps) > 1:
                query = Query(filter=found["inner"], aliases={k: v for k, v in call.query.items() if k.startswith("@")})
            elif number == len(steps) - 1 and found["name"] == "aggregate":
                cells = self._aggregates(table, found["inner"])
            elif number == len(steps) - 1 and found["name"] == "groupby":
                keys, cells = self._groups(table, found["inner"])
            else:
                raise not_simulated(f"The order of transformations in $apply={call.query['$apply']}")
        rows = self._selection.matching(table, query)
        preferences = Preferences.read(call.headers)
        shown = [
            _shown([*keys, *cells], members, preferences)
            for _, members in grouped(rows, [_single(key) for key in keys])
        ]
        return {"@odata.context": f"{call.root}$metadata#{table.set_name}", "value": shown}

    def _groups(self, table: Table, inner: str) -> tuple[list[_Cell], list[_Cell]]:
        parts = split(inner, ",")
        if not parts or not (parts[0].startswith("(") and parts[0].endswith(")")) or len(parts) > 2:
            raise bad_request(f"Term '{inner}' is not valid in groupby.")
        keys = [self._key(table, path) for path in split(parts[0][1:-1], ",")]
        found = _STEP.fullmatch(parts[1]) if len(parts) > 1 else None
        if not keys or (len(parts) > 1 and (found is None or found["name"] != "aggregate")):
            raise bad_request(f"Term '{inner}' is not valid in groupby.")
        return keys, self._aggregates(table, found["inner"]) if found is not None else []

    def _key(self, table: Table, path: str) -> _Cell:
        column, _ = column_operand(path, table, self._schema, self._store)
        if column.type == "DateTime":
            raise bad_request("groupby with datetime values is not supported.")
        navigation, slash, rest = path.partition("/")
        name = path
        if slash:
            through, target = table.by_navigation[navigation]
            name = f"{target or next(iter(through.navigation))}_{rest}"
        return _Cell(name, column, lambda members: self._shown(table, path, members[0]))

    def _aggregates(self, table: Table, inner: str) -> list[_Cell]:
        cells = []
        for text in split(inner, ","):
            found = _AGGREGATE.fullmatch(text)
            if found is None:
                raise bad_request(f"Term '{text}' is not valid in aggregate.")
            cells.append(_Cell(found["alias"], None, len) if found["count"] else self._aggregate(table, found))
        return cells

    def _aggregate(self, table: Table, found: re.Match[str]) -> _Cell:
        path, function = found["path"], _FUNCTIONS.get(found["function"])
        if function is None:
            raise not_simulated(f"The aggregate {found['function']} in $apply")
        column, operand = column_operand(path, table, self._schema, self._store)
        if function in {"sum", "avg"} and column.type not in NUMERIC:
            raise bad_request(f"The aggregate {found['function']} is for numbers; {path} has none.")

        def value(members: list[Row]) -> Any:
            return reckoned(function, column, [(operand(row), self._shown(table, path, row)) for row in members])

        return _Cell(found["alias"], column, value)

    def _shown(self, table: Table, path: str, row: Row) -> Any:
        """The value of a column, or of one behind a lookup, as answers show it."""
        navigation, slash, rest = path.partition("/")
        if not slash:
            column = table.by_property[path]
            return values.web(column, row.values.get(column.name))
        through, _ = table.by_navigation[navigation]
        reference = row.values.get(through.name)
        other = self._store.get(reference["table"], reference["id"]) if reference else None
        return None if other is None else self._shown(self._schema[other.table], rest, other)


def _single(cell: _Cell) -> Callable[[Row], Any]:
    return lambda row: cell.value([row])


def _shown(cells: list[_Cell], members: list[Row], preferences: Preferences) -> dict[str, Any]:
    """One group: columns without a value are left out."""
    shown: dict[str, Any] = {}
    for cell in cells:
        value = cell.value(members)
        if value is None:
            continue
        shown[cell.name] = value
        text = f"{value:,}" if cell.column is None else values.formatted(cell.column, value)
        if text is not None and preferences.annotates(FORMATTED):
            shown[f"{cell.name}@{FORMATTED}"] = text
    return shown
