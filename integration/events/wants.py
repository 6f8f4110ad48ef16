"""What of an event's values somebody behind the queue wants; nothing else is read, and nothing else travels."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TypeAlias


class _All:
    """Has every name."""

    def __contains__(self, name: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Wants:
    """What is wanted of the events of one table and message; names are logical names.

    `carried` are columns and parameters whose values travel with the event: in `values`, `parameters` and the images.
    `decisive` are the columns of the row that decide what is done: of an event that was sent before its transaction was
    committed their values travel as `expected`, so that the worker sees whether the row shows the change.
    """

    carried: Container[str] = frozenset()
    decisive: Container[str] = frozenset()


EVERYTHING = Wants(carried=_All(), decisive=_All())

WantsOf: TypeAlias = Callable[[str, str], Wants]
"""What is wanted of a table's message."""


def nothing(_table: str, _message: str) -> Wants:
    """That an event names what has changed is enough for those who read the row."""
    return Wants()


def everything(_table: str, _message: str) -> Wants:
    """All that the payload has."""
    return EVERYTHING
