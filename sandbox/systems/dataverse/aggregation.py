"""Groups of rows and what is reckoned of each: count, sum, average, least and greatest."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from sandbox.systems.dataverse.schema import Column

Item = TypeVar("Item")
Value = Callable[[Item], Any]

FUNCTIONS = frozenset({"count", "countcolumn", "sum", "avg", "min", "max"})
NUMERIC = frozenset({"Integer", "BigInt", "Decimal", "Double", "Money"})


def grouped(items: Iterable[Item], keys: Sequence[Value[Item]]) -> list[tuple[tuple[Any, ...], list[Item]]]:
    """Items by their values; without keys one group of all, even of none."""
    groups: dict[tuple[Any, ...], list[Item]] = {} if keys else {(): []}
    for item in items:
        groups.setdefault(tuple(key(item) for key in keys), []).append(item)
    return list(groups.items())


def reckoned(function: str, column: Column, found: list[tuple[Any, Any]], *, distinct: bool = False) -> Any:
    """One aggregate of a group; None where no item has a value.

    `found` has the value of each item, None among them: as it compares, and as it is shown.
    """
    if function == "count":
        return len(found)
    present = [pair for pair in found if pair[0] is not None]
    if function == "countcolumn":
        return len({value for value, _ in present}) if distinct else len(present)
    if not present:
        return None
    if function in {"min", "max"}:
        return (min if function == "min" else max)(present, key=lambda pair: pair[0])[1]
    total = sum((value for value, _ in present), start=Decimal(0))
    if function == "avg":
        total /= len(present)
    return int(total) if column.type in {"Integer", "BigInt"} else total
