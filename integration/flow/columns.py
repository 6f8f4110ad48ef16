"""The columns that a flow reads of a row, each with the type that Python code gets.

    class Lead(Columns):
        company = text("companyname", default="(no name)")
        rating = choice("leadqualitycode", {1: "hot", 2: "warm", 3: "cold"})

An attribute of an instance is the value in the row: `lead.company`. What is read of Dataverse (`$select`, `$expand`),
what an Update step is sent for (filtering attributes) and the page about the flow follow from these lines.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from datetime import date as Date  # noqa: N812 -- `date` is a column here
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar, overload
from zoneinfo import ZoneInfo

from integration.dataverse import Row, related_rows, version_of
from integration.errors import Permanent
from integration.events import Lookup

T = TypeVar("T")
Related = TypeVar("Related", bound="Columns")

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with two decimals, or as many as it needs, and the ISO 4217 code of the row's currency."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column, and how its value is read.

    `name` is the logical name, `web_name` that of the Web API; None where the column is not selected itself. An
    Update that touches one of `fired_by` is sent. `words` are those of a choice, `targets` the tables of a lookup,
    `related` what is read of the rows behind a navigation property.
    """

    name: str
    kind: str
    read: Callable[[Row], T]
    web_name: str | None
    fired_by: tuple[str, ...]
    words: Mapping[int, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    related: "type[Columns] | None" = None

    @overload
    def __get__(self, instance: None, owner: type) -> "Column[T]": ...
    @overload
    def __get__(self, instance: "Columns", owner: type) -> T: ...
    def __get__(self, instance: "Columns | None", owner: type) -> "Column[T] | T":
        return self if instance is None else self.read(instance.row)

    def also_fired_by(self, *names: str) -> "Column[T]":
        """The same for a column that Dataverse computes: an Update never names it, but those it is made of."""
        return replace(self, fired_by=names)

    @property
    def with_currency(self) -> bool:
        """Whether it needs the currency of the row."""
        return self.kind in {"money", "currency"}


class Columns:
    """One row, as a flow reads it. The attributes of a subclass say which columns that are."""

    declared: ClassVar[Mapping[str, Column[Any]]] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        own = {name: it for name, it in vars(cls).items() if isinstance(it, Column)}
        if taken := own.keys() & _TAKEN:
            raise TypeError(f"{cls.__name__}: {', '.join(sorted(taken))} has a meaning already; take another name")
        cls.declared = MappingProxyType({**cls.declared, **own})

    def __init__(self, row: Row, *, prefix: str = "") -> None:
        self.row = row
        self._prefix = prefix

    @property
    def id(self) -> str:
        """The row's id, a GUID in lower case."""
        return self.row.id

    @property
    def version(self) -> int:
        """The row's version, which grows with every change. Systems that get it can refuse an older state."""
        return version_of(self.row)

    def result(self, name: str) -> Any:
        """What stands in a result column now, named without prefix."""
        return self.row.values.get(f"{self._prefix}_{name}")

    def values(self) -> dict[str, object]:
        """All that is read, by attribute; rows behind a navigation property as their own values."""
        return {name: _plain(getattr(self, name)) for name in self.declared}

    def incomplete(self, **columns: object) -> Permanent:
        """The error (row-incomplete) for a row in which people have not filled in one of these columns."""
        missing = ", ".join(name for name, value in columns.items() if value is None)
        return Permanent(f"the row lacks {missing}: fill in, then resubmit", reason="row-incomplete")


_TAKEN = frozenset({"row", "id", "version", "result", "values", "incomplete", "declared"})


@overload
def text(name: str) -> Column[str | None]: ...
@overload
def text(name: str, *, default: str) -> Column[str]: ...
def text(name: str, *, default: str | None = None) -> Column[Any]:
    """Text; what is empty, or only spaces, counts as none. Also for ids (Uniqueidentifier)."""

    def read(row: Row) -> str | None:
        found: str | None = _value(row, name, str)
        return found if found and not found.isspace() else default

    return _column(name, "text", read)


def whole(name: str) -> Column[int | None]:
    """A whole number."""
    return _column(name, "whole", lambda row: _value(row, name, int))


def number(name: str) -> Column[Decimal | None]:
    """A decimal or floating-point number, with the digits that Dataverse gives."""
    return _column(name, "number", lambda row: _decimal(row, name))


def yes_no(name: str) -> Column[bool | None]:
    """A yes/no column."""
    return _column(name, "yes_no", lambda row: _value(row, name, bool))


@overload
def choice(name: str, words: Mapping[int, str]) -> Column[str | None]: ...
@overload
def choice(name: str, words: Mapping[int, str], *, default: str) -> Column[str]: ...
def choice(name: str, words: Mapping[int, str], *, default: str | None = None) -> Column[Any]:
    """A choice, a state or a status reason as a word.

    A value that has no word is a dead letter (choice-unmapped): somebody has added an option that nobody decided on.
    """

    def read(row: Row) -> str | None:
        value = _value(row, name, int)
        return default if value is None else _word(name, value, words)

    return replace(_column(name, "choice", read), words=dict(words))


def choices(name: str, words: Mapping[int, str]) -> Column[tuple[str, ...]]:
    """A multi-select choice as words, in the order of their values."""

    def read(row: Row) -> tuple[str, ...]:
        values = sorted(int(part) for part in (_value(row, name, str) or "").split(",") if part)
        return tuple(_word(name, value, words) for value in values)

    return replace(_column(name, "choices", read), words=dict(words))


def money(name: str) -> Column[Money | None]:
    """An amount with the currency of the row."""

    def read(row: Row) -> Money | None:
        amount = _decimal(row, name)
        return None if amount is None else Money(to_the_cent(amount), row.currency)

    return replace(_column(name, "money", read), fired_by=(name, "transactioncurrencyid"))


def currency() -> Column[str | None]:
    """The ISO 4217 code of the row's currency."""
    name = "transactioncurrencyid"
    return Column(name, "currency", lambda row: row.currency, None, (name,), targets=("transactioncurrency",))


def date(name: str, *, zone: str | None = None) -> Column[Date | None]:
    """A day.

    Of columns with the behaviour DateOnly or TimeZoneIndependent, it is the day that stands there. Of UserLocal ones,
    Dataverse gives the moment in UTC at which the day begins for whoever has entered it: name the `zone` of these
    people (`Europe/Berlin`), or the day may be the one before.
    """
    there = ZoneInfo(zone) if zone else None

    def read(row: Row) -> Date | None:
        value = _value(row, name, str)
        if value is None:
            return None
        moment = datetime.fromisoformat(value)
        return (moment.astimezone(there) if there and moment.tzinfo else moment).date()

    return _column(name, "date", read)


def moment(name: str) -> Column[datetime | None]:
    """A date and time with the behaviour UserLocal, which is a moment: aware, in UTC."""

    def read(row: Row) -> datetime | None:
        value = _value(row, name, str)
        return None if value is None else datetime.fromisoformat(value).astimezone(UTC)

    return _column(name, "moment", read)


def wall_clock(name: str) -> Column[datetime | None]:
    """A date and time with the behaviour TimeZoneIndependent: what a clock on the wall shows, without a zone.

    The Web API writes it with a `Z`, though it is not UTC.
    """

    def read(row: Row) -> datetime | None:
        value = _value(row, name, str)
        return None if value is None else datetime.fromisoformat(value).replace(tzinfo=None)

    return _column(name, "wall_clock", read)


def lookup(name: str, *, to: Sequence[str]) -> Column[Lookup | None]:
    """A reference to a row of one of the tables `to`: its table and id."""
    key = f"_{name}_value"
    return Column(name, "lookup", lambda row: row.lookups.get(name), key, (name,), targets=tuple(to))


def expanded(navigation: str, columns: type[Related]) -> Column[Related | None]:
    """Columns of the row that a lookup refers to, read in the same request.

    `navigation` is the navigation property, which for a lookup to one table is the lookup's name in its schema, and for
    one to several `<lookup>_<table>`. A change of that other row alone is no event of this one.
    """
    if any(it.with_currency for it in columns.declared.values()):
        raise TypeError(f"{navigation}: the currency of another row is not read; let its own flow send its amounts")

    def read(row: Row) -> Related | None:
        return next((columns(it) for it in related_rows(row, navigation)), None)

    return Column(navigation, "expanded", read, None, (), related=columns)


def lines(navigation: str, columns: type[Related]) -> Column[tuple[Related, ...]]:
    """The rows that refer to this one, such as the lines of an order, read in the same request.

    `navigation` is the collection-valued navigation property. Their amounts are in the currency of this row. A change
    of a line alone is no event of this row; of orders, quotes and invoices, Dataverse updates the totals with it, so
    read a total as well.
    """
    return Column(
        navigation, "lines", lambda row: tuple(map(columns, related_rows(row, navigation))), None, (), related=columns
    )


def selected(columns: type[Columns]) -> tuple[str, ...]:
    """The properties of `$select`."""
    return tuple(it.web_name for it in columns.declared.values() if it.web_name is not None)


def with_currency(columns: type[Columns]) -> bool:
    """Whether the row's currency is read, by the columns themselves or for rows behind a navigation property."""
    return any(
        it.with_currency or (it.related is not None and with_currency(it.related)) for it in columns.declared.values()
    )


def expansion(columns: type[Columns]) -> str | None:
    """The value of `$expand`."""
    return ",".join(_expansions(columns)) or None


def _expansions(columns: type[Columns]) -> Iterator[str]:
    for it in columns.declared.values():
        if it.related is not None:
            inner = expansion(it.related)
            yield f"{it.name}($select={','.join(selected(it.related))}{f';$expand={inner}' if inner else ''})"


def _column(name: str, kind: str, read: Callable[[Row], T]) -> Column[T]:
    return Column(name, kind, read, name, (name,))


def _value(row: Row, name: str, kind: type[T]) -> T | None:
    value = row.values.get(name)
    return value if isinstance(value, kind) and value != "" else None


def _decimal(row: Row, name: str) -> Decimal | None:
    value = row.values.get(name)
    return Decimal(value) if isinstance(value, int | Decimal) else None


def to_the_cent(value: Decimal) -> Decimal:
    """An amount with two decimals, or as many as it needs: 100, 100.0 and 100.0000 are the same."""
    amount = value.normalize()
    return amount.quantize(_CENT) if int(amount.as_tuple().exponent) > -2 else amount


def _word(name: str, value: int, words: Mapping[int, str]) -> str:
    if value not in words:
        raise Permanent(f"the option {value} of {name} has no word: add it to the flow", reason="choice-unmapped")
    return words[value]


def _plain(value: Any) -> object:
    if isinstance(value, Columns):
        return value.values()
    return [_plain(it) for it in value] if isinstance(value, tuple) else value
