"""What expressions of topic rules are made of: values in one message, and SQL's logic with unknown values."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.azure.broker.message import PARTITION_KEY, SYSTEM_PROPERTIES, BrokeredMessage
from sandbox.azure.broker.rules.typed import plain

Evaluate = Callable[["Fields"], Any]

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
READABLE = SYSTEM_PROPERTIES.keys() | {"partitionkey"}
"""The system properties that expressions can read, in lower case."""


def _quotient(left: Any, right: Any) -> Any:
    """Whole numbers are divided towards zero, as in C#."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    """With the sign of the dividend, as in C#."""
    if isinstance(left, int) and isinstance(right, int):
        return left - right * _quotient(left, right)
    return math.fmod(left, right)


ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "%": _remainder,
}


@dataclass(slots=True)
class Fields:
    """What an expression may look at in one message."""

    message: BrokeredMessage
    application: dict[Any, Any]

    @classmethod
    def of(cls, message: BrokeredMessage) -> "Fields":
        """The fields of a message."""
        return cls(message, message.content.application_properties())

    def get(self, scope: str, name: str) -> Any:
        """A property's value, None when it is not there. Names ignore case."""
        content = self.message.content
        if scope == "sys":
            field = SYSTEM_PROPERTIES.get(name.lower())
            return content.annotation(PARTITION_KEY) if field is None else content.property(field)
        return plain(self.application.get(self.named(name)))

    def named(self, name: str) -> str:
        """The application property of that name in any case; the name itself where there is none."""
        if name in self.application:
            return name
        wanted = name.casefold()
        return next((key for key in self.application if isinstance(key, str) and key.casefold() == wanted), name)


def either(left: Evaluate, right: Evaluate) -> Evaluate:
    """Whether one of the two holds; unknown when neither does and one is unknown."""

    def evaluate(fields: Fields) -> bool | None:
        values = left(fields), right(fields)
        return True if True in values else (None if None in values else False)

    return evaluate


def both(left: Evaluate, right: Evaluate) -> Evaluate:
    """Whether both hold; unknown when neither fails and one is unknown."""

    def evaluate(fields: Fields) -> bool | None:
        values = left(fields), right(fields)
        return False if False in values else (None if None in values else True)

    return evaluate


def negated(inner: Evaluate) -> Evaluate:
    """The opposite; unknown stays unknown."""

    def evaluate(fields: Fields) -> bool | None:
        value = inner(fields)
        return None if value is None else not value

    return evaluate


def compared(comparison: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    """A comparison; unknown with a missing value, text and numbers are never equal."""

    def evaluate(fields: Fields) -> bool | None:
        first, second = left(fields), right(fields)
        if first is None or second is None:
            return None
        if isinstance(first, str) != isinstance(second, str):
            return comparison is operator.ne
        try:
            return comparison(first, second)
        except TypeError:
            return None

    return evaluate


def computed(operation: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    """A calculation; unknown when it is not possible."""

    def evaluate(fields: Fields) -> Any:
        first, second = left(fields), right(fields)
        if (
            isinstance(first, str) or isinstance(second, str)
        ) and operation is not operator.add:  # Python would format and repeat text
            return None
        try:
            return operation(first, second)
        except (TypeError, ValueError, ArithmeticError):
            return None

    return evaluate


@lru_cache
def like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    """What LIKE compares with: `%` is any text and `_` any character, unless `escape` stands before it."""
    parts, literal = [], False
    for character in pattern:
        if not literal and character == escape:
            literal = True
            continue
        wildcard = None if literal else {"%": ".*", "_": "."}.get(character)
        parts.append(wildcard or re.escape(character))
        literal = False
    return re.compile("".join(parts), re.DOTALL)
