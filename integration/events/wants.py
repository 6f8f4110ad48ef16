"""Which values of an event are wanted behind the queue; no others are read, and no others are sent."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TypeAlias


class _All:
    """Contains every name."""

    def __contains__(self, name: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Wants:
    """The wanted values of the events of one table and message; names are logical names.

    `carried` are columns and parameters whose values the event carries: in `values`, `parameters` and the images.
    `decisive` are the columns of the row that decide what is done. An event that was sent before its transaction was
    committed carries their values as `expected`, so that the worker sees whether the row shows the change.
    """

    carried: Container[str] = frozenset()
    decisive: Container[str] = frozenset()


EVERYTHING = Wants(carried=_All(), decisive=_All())

WantsOf: TypeAlias = Callable[[str, str], Wants]
"""The wanted values of a table's message."""


def nothing(_table: str, _message: str) -> Wants:
    """No values: the names of the changed columns are enough for a handler that reads the row."""
    return Wants()


def everything(_table: str, _message: str) -> Wants:
    """Everything that the payload has."""
    return EVERYTHING
