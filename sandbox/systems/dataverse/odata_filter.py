"""`$filter` on rows: columns, and columns of the row behind a lookup. Text compares without regard to case."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.systems.dataverse.errors import bad_request, no_such_property
from sandbox.systems.dataverse.odata_syntax import TEXT_FUNCTIONS, Arguments, Token
from sandbox.systems.dataverse.odata_tests import Field, compile_expression
from sandbox.systems.dataverse.query_functions import query_test
from sandbox.systems.dataverse.relations import collections
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import MANAGED, literal

Test = Callable[[Row], bool]
Operand = Callable[[Row], Any]


def compile_filter(
    expression: str, table: Table, schema: Schema, store: Store, aliases: Mapping[str, str] | None = None
) -> Test:
    """The test for `$filter=expression`; 400 if it cannot be read. `aliases` give the values of `@p1`."""
    return compile_expression(expression, _Rows(table, schema, store), aliases or {})


def column_operand(path: str, table: Table, schema: Schema, store: Store) -> tuple[Column, Operand]:
    """A column, or `navigation/column` of a single-valued navigation property."""
    navigation, slash, rest = path.partition("/")
    if not slash:
        column = table.by_property.get(path)
        if column is None:
            raise no_such_property(path, table.name)
        name = column.name
        if path == table.id_column:
            return column, lambda row: row.id
        if path == "versionnumber":
            return column, lambda row: row.version
        return column, lambda row: literal(column, row.values.get(name))
    complex_one = table.columns.get(navigation)
    if complex_one is not None and complex_one.type == MANAGED and rest in {"Value", "CanBeChanged"}:
        return complex_one, lambda row: (row.values.get(navigation) or {}).get(rest)
    if navigation not in table.by_navigation:
        raise no_such_property(navigation, table.name)
    through, target = table.by_navigation[navigation]
    other = schema[target or next(iter(through.navigation))]
    column, inner = column_operand(rest, other, schema, store)

    def follow(row: Row) -> Any:
        reference = row.values.get(through.name)
        found = store.get(reference["table"], reference["id"]) if reference else None
        return None if found is None else inner(found)

    return column, follow


class _Rows:
    """The rows of one table as the subject of an expression."""

    def __init__(self, table: Table, schema: Schema, store: Store) -> None:
        self._table, self._schema, self._store = table, schema, store

    def field(self, path: str) -> Field[Row]:
        column, operand = column_operand(path, self._table, self._schema, self._store)
        return Field(path, operand, lambda token: comparable(column, token), kind_of(column))

    def text_function(self, name: str, path: str, part: str) -> Test:
        operand, test, sought = self.field(path).operand, TEXT_FUNCTIONS[name], part.casefold()
        return lambda row: (value := operand(row)) is not None and test(str(value), sought)

    def query_function(self, name: str, arguments: Arguments) -> Test:
        return query_test(name, arguments, self.field)

    def collection(self, path: str) -> tuple["_Rows", Callable[[Row], list[Row]]]:
        relationship = collections(self._schema, self._table).get(path)
        if relationship is None:
            raise no_such_property(path, self._table.name)
        inner = _Rows(relationship.table, self._schema, self._store)
        return inner, lambda row: relationship.rows(self._store, row.id)


def kind_of(column: Column) -> str:
    """What the values of a column can be compared with: number, truth, time, text or id."""
    return _KINDS.get(column.type, "id")


def comparable(column: Column, token: Token) -> Any:
    """A literal in the form in which the column's values compare; 400 if the types do not fit."""
    if column.type in {"String", "Memo"}:
        if token.kind not in {"string", "quoted"}:
            raise _incompatible(column)
        return token.value.casefold()
    try:
        if column.type == "DateTime":
            return _time(token.value, date_only=column.date_only)
        return _READERS.get(column.type, str.lower)(token.value)
    except (ValueError, ArithmeticError, KeyError) as wrong:
        raise _incompatible(column) from wrong


def _time(text: str, *, date_only: bool) -> str:
    time = datetime.fromisoformat(text)
    time = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    return time.strftime("%Y-%m-%d" if date_only else "%Y-%m-%dT%H:%M:%SZ").casefold()


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


_READERS: dict[str, Callable[[str], Any]] = {
    "Integer": int,
    "BigInt": int,
    "Picklist": int,
    "State": int,
    "Status": int,
    "Decimal": _finite,
    "Double": _finite,
    "Money": _finite,
    "Boolean": lambda text: {"true": True, "false": False}[text],
    MANAGED: lambda text: {"true": True, "false": False}[text],
}

_KINDS = {
    **dict.fromkeys(("Integer", "BigInt", "Decimal", "Double", "Money", "Picklist", "State", "Status"), "number"),
    "Boolean": "truth",
    MANAGED: "truth",
    "DateTime": "time",
    "String": "text",
    "Memo": "text",
    "MultiSelectPicklist": "text",
}


def _incompatible(column: Column) -> Exception:
    return bad_request(
        "A binary operator with incompatible types was detected. Found operand types do not fit column "
        f"'{column.name}' of type '{column.type}'."
    )
