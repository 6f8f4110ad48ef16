"""Attribute values as DataContractJsonSerializer writes them, turned into `Value`.

`__type` leads where the slot is declared as object, and is missing elsewhere: the shape decides then.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from integration.errors import Fault
from integration.events import dates, mojibake
from integration.events.fields import pointer, to_guid, to_table
from integration.events.values import Choice, Choices, Lookup, Money, Rows, Value

MAX_COLUMNS = 2_000

_INT64 = 1 << 63
_MAX_DIGITS = 64
_MAX_EXPONENT = 400  # a double's is 308

Path: TypeAlias = "tuple[Path, str | int] | None"
"""Where a value stands: linked, so that it costs nothing unless there is a fault to report."""


class Unread(Enum):
    """Stands for a value that is left out: of a kind nothing here needs (QueryExpression), or wrong and reported."""

    UNREAD = 0


UNREAD = Unread.UNREAD

Found: TypeAlias = "Value | Unread"


@dataclass(frozen=True, slots=True)
class Entity:
    """A row as a message carries it; `sent` names its columns, also those left out of `columns`; None: a reference."""

    table: str | None
    id: str | None
    columns: dict[str, Value]
    sent: tuple[str, ...] | None


class ValueReader:
    """Reads values and keeps what is wrong with them in `faults`; never raises.

    `iso_dates` says that the document writes dates as ISO 8601: only then is text of that form a date. `repair` mends
    text that was encoded twice.
    """

    def __init__(self, *, iso_dates: bool, repair: bool) -> None:
        self.faults: list[Fault] = []
        self._iso_dates = iso_dates
        self._repair = repair
        self._kinds: dict[str, Callable[[dict[str, Any], Path], Found]] = {
            "Entity": self._row,
            "EntityCollection": self._rows,
            "EntityReference": self._lookup,
            "OptionSetValue": self._choice,
            "Money": self._money,
            "BooleanManagedProperty": self._managed,
            "Relationship": self._relationship,
        }

    def pairs(self, raw: object, at: Path) -> Iterator[tuple[str, Any, Path]]:
        """The entries of a `[{"key":..,"value":..}]` list, each with where its value stands; null is empty."""
        if raw is None:
            return
        if not isinstance(raw, list):
            self.fault(at, "must be a list of key and value")
            return
        if len(raw) > MAX_COLUMNS:
            self.fault(at, f"has {len(raw)} entries; {MAX_COLUMNS} are allowed")
            return
        seen = set()
        for index, pair in enumerate(raw):
            key = pair.get("key") if isinstance(pair, dict) else None
            if not isinstance(key, str) or not key:
                self.fault((at, index), "must have a key and a value")
            elif key in seen:
                self.fault((at, index), "has a key that was there before")
            else:
                seen.add(key)
                yield key, pair.get("value"), ((at, index), "value")

    def columns(self, raw: object, at: Path) -> dict[str, Value]:
        """An attribute or parameter list as values by name."""
        return _without_unread(self._found(raw, at))

    def entity(self, raw: object, at: Path) -> Entity | None:
        """An Entity or EntityReference; None, and a fault, for anything else."""
        if isinstance(raw, dict) and _kind(raw) in ("Entity", "EntityReference"):
            return self._entity(raw, at)
        self.fault(at, "must be an Entity or an EntityReference")
        return None

    def value(self, raw: Any, at: Path) -> Found:
        """One value of any shape."""
        if isinstance(raw, str):
            return self._text(raw, at)
        if raw is None or isinstance(raw, bool):
            return raw
        if isinstance(raw, dict):
            return self._object(raw, at)
        if isinstance(raw, list):
            return self._list(raw, at)
        return self._number(raw, at)

    def fault(self, at: Path, detail: str) -> None:
        """Report what is wrong at `at`; the detail never repeats a value."""
        steps: list[str | int] = []
        while at is not None:
            at, step = at
            steps.append(step)
        self.faults.append(Fault(pointer(*reversed(steps)), detail))

    def _found(self, raw: object, at: Path) -> dict[str, Found]:
        return {key: self.value(inner, where) for key, inner, where in self.pairs(raw, at)}

    def _text(self, raw: str, at: Path) -> Found:
        if dates.looks_like_json_date(raw) or (self._iso_dates and dates.looks_like_iso_date(raw)):
            return self._date(raw, at)
        return mojibake.repair(raw) if self._repair else raw

    def _date(self, raw: object, at: Path) -> Found:
        try:
            return dates.to_time(raw)
        except ValueError as error:
            self.fault(at, str(error))
            return UNREAD

    def _number(self, raw: int | Decimal, at: Path) -> Found:
        if isinstance(raw, int):
            fits = -_INT64 <= raw < _INT64
        else:
            fits = len(raw.as_tuple().digits) <= _MAX_DIGITS and abs(raw.adjusted()) <= _MAX_EXPONENT
        if fits:
            return raw
        self.fault(at, "is a number out of range")
        return UNREAD

    def _list(self, raw: list[Any], at: Path) -> Found:
        if raw and all(isinstance(item, dict) and _kind(item) == "OptionSetValue" for item in raw):
            options = [self._choice(item, (at, index)) for index, item in enumerate(raw)]
            return Choices(tuple(option.value for option in options if isinstance(option, Choice)))
        values = (self.value(item, (at, index)) for index, item in enumerate(raw))
        return tuple(value for value in values if value is not UNREAD)

    def _object(self, raw: dict[str, Any], at: Path) -> Found:
        if "__value" in raw:
            return self._boxed(raw, (at, "__value"))
        read = self._kinds.get(_kind(raw))
        return read(raw, at) if read else UNREAD

    def _boxed(self, raw: dict[str, Any], at: Path) -> Found:
        """A scalar in a wrapper, `{"__type":"DateTime:#System","__value":..}`."""
        inner = raw["__value"]
        kind = str(raw.get("__type")).partition(":")[0]
        if kind == "DateTime":
            return self._date(inner, at)
        if kind == "Guid":
            return self._id(inner, at)
        if isinstance(inner, (dict, list)):
            self.fault(at, "must be a scalar")
            return UNREAD
        return self.value(inner, at)

    def _lookup(self, raw: dict[str, Any], at: Path) -> Found:
        entity = self._entity(raw, at)
        if entity.id is None:
            return None
        if entity.table is None:
            self.fault((at, "LogicalName"), "must be a table's logical name")
            return UNREAD
        name = raw.get("Name")
        if not isinstance(name, str):
            name = None
        elif self._repair:
            name = mojibake.repair(name)
        return Lookup(entity.table, entity.id, name)

    def _choice(self, raw: dict[str, Any], at: Path) -> Found:
        option = raw.get("Value")
        if isinstance(option, int) and not isinstance(option, bool) and abs(option) < _INT64:
            return Choice(option)
        self.fault((at, "Value"), "must be a whole number")
        return UNREAD

    def _money(self, raw: dict[str, Any], at: Path) -> Found:
        amount = raw.get("Value")
        if isinstance(amount, (int, Decimal)) and not isinstance(amount, bool):
            number = self._number(amount, (at, "Value"))
            return UNREAD if number is UNREAD else Money(Decimal(amount))
        self.fault((at, "Value"), "must be a number")
        return UNREAD

    def _managed(self, raw: dict[str, Any], at: Path) -> Found:
        value = raw.get("Value")
        if isinstance(value, bool):
            return value
        self.fault((at, "Value"), "must be true or false")
        return UNREAD

    def _relationship(self, raw: dict[str, Any], at: Path) -> Found:
        name = raw.get("SchemaName")
        if isinstance(name, str):
            return name
        self.fault((at, "SchemaName"), "must be a relationship's schema name")
        return UNREAD

    def _row(self, raw: dict[str, Any], at: Path) -> Found:
        entity = self._entity(raw, at)
        return Rows(entity.table, (entity.columns,), (entity.id,))

    def _rows(self, raw: dict[str, Any], at: Path) -> Found:
        rows = raw.get("Entities")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.fault((at, "Entities"), "must be a list of entities")
            return UNREAD
        entities = [self._entity(row, ((at, "Entities"), index)) for index, row in enumerate(rows)]
        table = self._table(raw.get("EntityName"), (at, "EntityName"))
        return Rows(table, tuple(entity.columns for entity in entities), tuple(entity.id for entity in entities))

    def _entity(self, raw: dict[str, Any], at: Path) -> Entity:
        attributes = raw.get("Attributes")
        found = self._found(attributes, (at, "Attributes"))
        return Entity(
            self._table(raw.get("LogicalName"), (at, "LogicalName")),
            self._id(raw.get("Id"), (at, "Id")),
            _without_unread(found),
            None if attributes is None else tuple(found),
        )

    def _id(self, raw: object, at: Path) -> str | None:
        try:
            return to_guid(raw)
        except ValueError as error:
            self.fault(at, str(error))
            return None

    def _table(self, raw: object, at: Path) -> str | None:
        if raw is None or raw == "":
            return None
        try:
            return to_table(raw)
        except ValueError as error:
            self.fault(at, str(error))
            return None


def _without_unread(found: dict[str, Found]) -> dict[str, Value]:
    return {name: value for name, value in found.items() if value is not UNREAD}


def _kind(raw: dict[str, Any]) -> str:
    declared = raw.get("__type")
    if isinstance(declared, str):
        return declared.partition(":")[0]
    if raw.keys() == {"Value"}:
        return "Money" if isinstance(raw["Value"], Decimal) else "OptionSetValue"
    return next((kind for kind, members in _SHAPES.items() if members & raw.keys()), "")


_SHAPES = {  # a member tells the kind; the first that is there decides
    "Entity": {"Attributes"},
    "EntityCollection": {"Entities"},
    "EntityReference": {"LogicalName"},
    "Relationship": {"SchemaName"},
    "BooleanManagedProperty": {"CanBeChanged", "ManagedPropertyLogicalName"},
}
