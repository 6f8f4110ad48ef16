"""`$filter`: the documented operators and functions, compiled to a test on rows.

There is no `in` operator in Dataverse; `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=['a','b'])` is there.
Text compares without regard to case. `ne` holds for null, other comparisons with null do not.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.systems.dataverse.errors import bad_request, no_such_property
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store
from sandbox.systems.dataverse.values import literal

Test = Callable[[Row], bool]
Operand = Callable[[Row], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>@?[A-Za-z_][\w./]*)"
    r"|(?P<mark>[(),\[\]=]))"
)
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_IN_FUNCTION = "Microsoft.Dynamics.CRM.In"


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def compile_filter(expression: str, table: Table, schema: Schema, store: Store) -> Test:
    """The test for `$filter=expression`; 400 if it cannot be read."""
    return _Parser(_tokens(expression), table, schema, store).whole()


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


class _Parser:
    def __init__(self, tokens: list[_Token], table: Table, schema: Schema, store: Store) -> None:
        self._tokens, self._at = tokens, 0
        self._table, self._schema, self._store = table, schema, store

    def whole(self) -> Test:
        test = self._or()
        if self._at < len(self._tokens):
            raise _syntax(self._tokens[self._at].text)
        return test

    def _or(self) -> Test:
        tests = [self._and()]
        while self._accept("or"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._accept("and"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _not(self) -> Test:
        if self._accept("not"):
            test = self._not()
            return lambda row: not test(row)
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        word = self._next("word")
        if word in _FUNCTIONS:
            return self._function(word)
        if word == _IN_FUNCTION:
            return self._in()
        return self._comparison(word)

    def _function(self, name: str) -> Test:
        self._expect("(")
        _, operand = self._column(self._next("word"))
        self._expect(",")
        part = _text(self._next("string")).casefold()
        self._expect(")")
        test = _FUNCTIONS[name]
        return lambda row: (value := operand(row)) is not None and test(str(value), part)

    def _in(self) -> Test:
        for expected in ("(", "PropertyName", "="):
            self._expect(expected)
        column, operand = self._column(_text(self._next("string")))
        for expected in (",", "PropertyValues", "=", "["):
            self._expect(expected)
        listed = [_comparable(column, _Token("string", self._next("string")))]
        while self._accept(","):
            listed.append(_comparable(column, _Token("string", self._next("string"))))
        self._expect("]")
        self._expect(")")
        return lambda row: operand(row) in listed

    def _comparison(self, path: str) -> Test:
        column, left = self._column(path)
        name = self._next("word")
        if name not in {"eq", "ne", *_ORDERED}:
            raise _syntax(name)
        right = self._right(column)
        if name == "eq":
            return lambda row: left(row) == right(row)
        if name == "ne":
            return lambda row: left(row) != right(row)
        compare = _ORDERED[name]
        return lambda row: (a := left(row)) is not None and (b := right(row)) is not None and compare(a, b)

    def _right(self, column: Column) -> Operand:
        token = self._take()
        if token.kind == "word" and token.text not in {"null", "true", "false"}:
            return self._column(token.text)[1]
        value = _comparable(column, token)
        return lambda _: value

    def _column(self, path: str) -> tuple[Column, Operand]:
        return column_operand(path, self._table, self._schema, self._store)

    def _take(self) -> _Token:
        if self._at >= len(self._tokens):
            raise _syntax("end of expression")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, kind: str) -> str:
        token = self._take()
        if token.kind != kind:
            raise _syntax(token.text)
        return token.text

    def _accept(self, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].text == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise _syntax(self._take().text)


def _tokens(expression: str) -> list[_Token]:
    tokens, at, text = [], 0, expression.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise _syntax(text[at:])
        tokens.append(_Token(found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


def _text(quoted: str) -> str:
    return quoted[1:-1].replace("''", "'")


def _comparable(column: Column, token: _Token) -> Any:
    """A literal in the form in which the column's values compare; 400 if the types do not fit."""
    if token.text == "null":
        return None
    if column.type in {"String", "Memo"}:
        if token.kind != "string":
            raise _incompatible(column)
        return _text(token.text).casefold()
    text = _text(token.text) if token.kind == "string" else token.text
    try:
        return _READERS.get(column.type, str.lower)(text)
    except (ValueError, ArithmeticError, KeyError) as wrong:
        raise _incompatible(column) from wrong


def _time(text: str) -> str:
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").casefold()


_READERS: dict[str, Callable[[str], Any]] = {
    "Integer": int,
    "BigInt": int,
    "Picklist": int,
    "State": int,
    "Status": int,
    "Decimal": Decimal,
    "Money": Decimal,
    "Boolean": lambda text: {"true": True, "false": False}[text],
    "DateTime": _time,
}


def _syntax(near: str) -> Exception:
    return bad_request(f"Syntax error at or near '{near}' in the $filter expression.", "0x80060888")


def _incompatible(column: Column) -> Exception:
    return bad_request(
        "A binary operator with incompatible types was detected. Found operand types do not fit column "
        f"'{column.name}' of type '{column.type}'."
    )
