"""`$filter` as a tree, and what it says of a row: true, false, or null where that is not known.

Comparisons of size with null are false, `eq` and `ne` know null as a value of its own, and a text function of null is
null (OData 4.01 URL Conventions, 5.1.1). Texts are compared without case, as Dataverse does.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from integration.virtual_tables.edm import Value

Row: TypeAlias = Mapping[str, Value]

SIZES: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}
_OPPOSITE = {"eq": "ne", "ne": "eq"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column eq value`, and the like; `how` is one of eq, ne, gt, ge, lt, le."""

    column: str
    how: str
    value: Value


@dataclass(frozen=True, slots=True)
class TextTest:
    """`contains(column,'part')`, `startswith` or `endswith`."""

    how: str
    column: str
    part: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not (...)`."""

    test: "Filter"


@dataclass(frozen=True, slots=True)
class All:
    """All of the tests hold (`and`)."""

    tests: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the tests holds (`or`)."""

    tests: "tuple[Filter, ...]"


Filter: TypeAlias = Comparison | TextTest | Not | All | Either


def holds(test: Filter, row: Row) -> bool:
    """Whether the row is one that the filter lets through."""
    return _says(test, row) is True


def columns_of(test: Filter) -> Iterator[str]:
    """The columns that are named, each as often as it is."""
    if isinstance(test, Comparison | TextTest):
        yield test.column
    elif isinstance(test, Not):
        yield from columns_of(test.test)
    else:
        for each in test.tests:
            yield from columns_of(each)


def conjuncts(test: Filter | None) -> tuple[Filter, ...]:
    """The tests that all have to hold, with `not` moved in where that says the same."""
    if test is None:
        return ()
    test = simplified(test)
    return test.tests if isinstance(test, All) else (test,)


def simplified(test: Filter) -> Filter:
    """The same filter with `not` before single tests only, and without an `and` in an `and`, or an `or` in an `or`."""
    if isinstance(test, Not):
        return _opposite(simplified(test.test))
    if isinstance(test, All | Either):
        kind = type(test)
        flat: list[Filter] = []
        for each in map(simplified, test.tests):
            flat += each.tests if isinstance(each, kind) else (each,)
        return kind(tuple(flat)) if len(flat) > 1 else flat[0]
    return test


def _opposite(test: Filter) -> Filter:
    """`not test`: the size of null is not known to be smaller or larger, so comparisons of size keep their `not`."""
    if isinstance(test, Not):
        return test.test
    if isinstance(test, All):
        return Either(tuple(map(_opposite, test.tests)))
    if isinstance(test, Either):
        return All(tuple(map(_opposite, test.tests)))
    if isinstance(test, Comparison) and test.how in _OPPOSITE:
        return Comparison(test.column, _OPPOSITE[test.how], test.value)
    return Not(test)


def _says(test: Filter, row: Row) -> bool | None:
    if isinstance(test, Comparison):
        return _compared(test, _folded(row.get(test.column)), _folded(test.value))
    if isinstance(test, TextTest):
        text = row.get(test.column)
        return None if text is None else TEXTS[test.how](str(text).casefold(), test.part.casefold())
    if isinstance(test, Not):
        said = _says(test.test, row)
        return None if said is None else not said
    said_each = [_says(each, row) for each in test.tests]
    decides = isinstance(test, Either)
    if decides in said_each:
        return decides
    return None if None in said_each else not decides


def _compared(test: Comparison, has: Any, wanted: Any) -> bool:
    if test.how == "eq":
        return bool(has == wanted)
    if test.how == "ne":
        return bool(has != wanted)
    return has is not None and wanted is not None and SIZES[test.how](has, wanted)


def _folded(value: Value) -> Any:
    return value.casefold() if isinstance(value, str) else value
