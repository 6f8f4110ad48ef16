"""Column values in the one form that everything after the intake uses.

A value is `None`, `bool`, `int`, `str`, `Decimal`, an aware UTC `datetime`, or one of the classes below. Dataverse
floats and decimals both become `Decimal` (exact digits, as sent); a number that is sent without a decimal point is read
as `int`, whatever the column's type. Arrays (a StringArray parameter, a list of references) are tuples.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference to a row (EntityReference)."""

    table: str
    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount; its currency is the row's transactioncurrencyid and never part of the value."""

    amount: Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a choice column (OptionSetValue)."""

    value: int


@dataclass(frozen=True, slots=True)
class Choices:
    """A multi-select choice column (OptionSetValueCollection)."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows inside a column or parameter: activity parties (EntityCollection), an Entity parameter.

    `ids` has the id of each of `rows`, in their order; None for a row that was not given one.
    """

    table: str | None
    rows: tuple[dict[str, "Value"], ...]
    ids: tuple[str | None, ...] = ()


Value: TypeAlias = (
    "bool | int | str | Decimal | datetime | Lookup | Money | Choice | Choices | Rows | tuple[Value, ...] | None"
)
