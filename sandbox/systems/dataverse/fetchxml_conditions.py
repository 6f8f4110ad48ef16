"""The conditions of FetchXML as tests of joined rows.

`ne` and the negations of text operators hold for columns without a value; every other operator needs one. Dates are
those of the query functions (`query_functions`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.systems.dataverse.errors import not_simulated
from sandbox.systems.dataverse.fetchxml_query import Condition, Filter, invalid
from sandbox.systems.dataverse.odata_filter import comparable, kind_of
from sandbox.systems.dataverse.odata_syntax import Arguments, Token
from sandbox.systems.dataverse.odata_tests import Field
from sandbox.systems.dataverse.query_functions import query_test
from sandbox.systems.dataverse.schema import Column
from sandbox.systems.dataverse.store import Row

Joined = dict[str, Row | None]
"""The rows of one result, by alias; None where an outer join found nothing."""
Test = Callable[[Joined], bool]

_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_WITHOUT_VALUE = {
    "null": ("", True),
    "not-null": ("", False),
    "eq-userid": ("userid", True),
    "ne-userid": ("userid", False),
}
"""Operators that compare with nothing or with the calling user, and whether both have to be equal."""
TEXT = {
    "like": "{}",
    "begins-with": "{}%",
    "ends-with": "%{}",
    "not-like": "{}",
    "not-begin-with": "{}%",
    "not-end-with": "%{}",
}
"""Operators on texts, and the pattern that each makes of its value."""
_LISTS = {"in": "In", "not-in": "NotIn", "between": "Between", "not-between": "NotBetween"}
_WAYS = ("last", "this", "next")
_SPANS = {
    "last-seven-days": "Last7Days",
    "next-seven-days": "Next7Days",
    "on": "On",
    "not-on": "NotOn",
    "on-or-after": "OnOrAfter",
    "on-or-before": "OnOrBefore",
    **{name: name.title() for name in ("today", "yesterday", "tomorrow")},
    **{f"{way}-{unit}": way.title() + unit.title() for way in _WAYS for unit in ("week", "month", "year")},
}
_COUNTED = re.compile(r"(last|next|olderthan)-x-(hours|days|weeks|months|years)|(olderthan)-x-(minutes)")
_OLDER = {"olderthan": "OlderThan"}
_ELSEWHERE = re.compile(
    r"above|under|not-under|eq-or-above|eq-or-under|(not-)?contain-values|(ne|eq)-businessid|eq-user(language|teams)"
    r"|eq-useroruser(teams|hierarchy|hierarchyandteams)|.*fiscal.*"
)


@dataclass(frozen=True)
class Operand:
    """A column of joined rows: its value in the form in which values compare, and in that of answers."""

    column: Column
    value: Callable[[Joined], Any]
    shown: Callable[[Joined], Any]


Find = Callable[[str | None, str], Operand]
"""The operand of a column (alias of a link-entity or None, name); 400 without one."""
LinkTest = Callable[[Any], Test]
"""The test of a link-entity within a filter."""


def filter_test(parts: Filter, find: Find, link_test: LinkTest, user_id: str) -> Test:
    """The test of a filter and of what is in it."""
    tests: list[Test] = []
    for part in parts.parts:
        if isinstance(part, Condition):
            tests.append(_condition_test(part, find, user_id))
        elif isinstance(part, Filter):
            tests.append(filter_test(part, find, link_test, user_id))
        else:
            tests.append(link_test(part))
    if parts.any:
        return lambda joined: any(test(joined) for test in tests) or not tests
    return lambda joined: all(test(joined) for test in tests)


def _condition_test(condition: Condition, find: Find, user_id: str) -> Test:
    operand, name = find(condition.entity, condition.column), condition.operator
    if condition.other is not None:
        other = _other(condition, find)
        if kind_of(other.column) != kind_of(operand.column):
            raise invalid(f"The columns {operand.column.name} and {other.column.name} cannot be compared.")
        return _column_test(operand, name, other.value)
    if name in _WITHOUT_VALUE:
        _count(condition, 0)
        wanted, equal = _WITHOUT_VALUE[name]
        right = user_id if wanted == "userid" else None
        return lambda joined: (operand.value(joined) == right) == equal
    if name in TEXT:
        return _text_test(condition, operand)
    if name in _LISTS:
        values = [_token(each, operand.column) for each in condition.values]
        return _function_test(_LISTS[name], operand, {"PropertyValues": values})
    function = _date_function(name)
    if function is not None:
        return _date_test(condition, operand, function)
    return _value_test(condition, operand)


def _value_test(condition: Condition, operand: Operand) -> Test:
    if _ELSEWHERE.fullmatch(condition.operator):
        raise not_simulated(f"The FetchXML operator {condition.operator}")
    _count(condition, 1)
    right = comparable(operand.column, _token(condition.values[0], operand.column))
    return _column_test(operand, condition.operator, lambda _: right)


def _date_function(name: str) -> str | None:
    """The query function of an operator for dates; None for other operators."""
    counted = _COUNTED.fullmatch(name)
    if counted is None:
        return _SPANS.get(name)
    way, unit = (each for each in counted.groups() if each is not None)
    return f"{_OLDER.get(way, way.title())}X{unit.title()}"


def _column_test(operand: Operand, name: str, right: Callable[[Joined], Any]) -> Test:
    if name in {"ne", "neq"}:
        return lambda joined: operand.value(joined) != right(joined)
    if name not in _ORDERED:
        raise invalid("Unsupported condition operator.", "0x80041120")  # QueryBuilderInvalidConditionOperator
    compare = _ORDERED[name]
    return lambda joined: (
        (a := operand.value(joined)) is not None and (b := right(joined)) is not None and compare(a, b)
    )


def _other(condition: Condition, find: Find) -> Operand:
    alias, _, column = (condition.other or "").rpartition(".")
    return find(alias or condition.entity, column)


def _text_test(condition: Condition, operand: Operand) -> Test:
    _count(condition, 1)
    pattern = re.compile(_like(TEXT[condition.operator].format(condition.values[0].casefold())), re.DOTALL)
    negated = condition.operator.startswith("not-")

    def test(joined: Joined) -> bool:
        value = operand.value(joined)
        return negated if value is None else (pattern.fullmatch(str(value)) is not None) != negated

    return test


def _like(pattern: str) -> str:
    """The regular expression of a pattern of SQL: `%`, `_` and `[a-f]`."""
    return "".join(
        {"%": ".*", "_": "."}.get(piece) or (piece if re.fullmatch(r"\[\^?[\w-]+\]", piece) else re.escape(piece))
        for piece in re.findall(r"\[[^\]]*\]|.", pattern, re.DOTALL)
    )


def _date_test(condition: Condition, operand: Operand, function: str) -> Test:
    if operand.column.type != "DateTime":
        raise invalid(f"The operator '{condition.operator}' is for columns with dates; {operand.column.name} has none.")
    needs = function.startswith(("On", "NotOn")) or "X" in function
    _count(condition, int(needs))
    arguments: Arguments = {"PropertyValue": [_token(condition.values[0])]} if needs else {}
    return _function_test(function, operand, arguments)


def _function_test(name: str, operand: Operand, arguments: Arguments) -> Test:
    values = arguments.get("PropertyValues")
    if values is not None and not values:
        raise invalid("The condition needs values.")
    column = operand.column
    field: Field[Joined] = Field(column.name, operand.value, lambda token: comparable(column, token), kind_of(column))
    return query_test(name, arguments | {"PropertyName": [_token(column.name)]}, lambda _: field)


def _count(condition: Condition, wanted: int) -> None:
    if len(condition.values) != wanted:
        raise invalid(f"The operator '{condition.operator}' takes {wanted} values; there are {len(condition.values)}.")


def _token(text: str, column: Column | None = None) -> Token:
    """A value as the literal of an expression: without the braces of a GUID, and truth as a word."""
    plain = text.strip()
    if plain.startswith("{") and plain.endswith("}"):
        text = plain[1:-1]
    if column is not None and kind_of(column) == "truth":
        text = {"1": "true", "0": "false"}.get(plain, plain)
    return Token("string", "'" + text.replace("'", "''") + "'")
