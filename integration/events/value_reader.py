"""Turns attribute values, as .NET's serialisers write them, into `Value`.

DataContractJsonSerializer writes `__type` first if the member is declared as object, and leaves it out otherwise: then
the shape decides. Newtonsoft.Json, in plug-ins that serialise by themselves, writes `Key` and `Value` for `key` and
`value`.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias, TypeGuard

from integration.events import dates, mojibake
from integration.events.fields import is_column, to_guid, to_table
from integration.events.unread import UNREAD, Unread
from integration.events.values import Choice, Choices, Lookup, Money, Rows, Value
from integration.events.wants import EVERYTHING

MAX_COLUMNS = 2_000

_INT64 = 1 << 63
_MAX_DIGITS = 64
_MAX_EXPONENT = 400  # a double's is 308
_MAX_LEVELS = 64
_MAX_UNREAD = 20
_MAX_NAME = 100

Path: TypeAlias = "tuple[Path, str] | None"
"""The names that lead to a value, as a linked list, so that they cost nothing unless the value cannot be read."""

Found: TypeAlias = "Value | Unread"


@dataclass(frozen=True, slots=True)
class Entity:
    """A row as a message carries it: its columns as they were sent, by name.

    `attributes` is None for a reference, and where the names of the columns could not all be read.
    """

    table: str | None
    id: str | None
    attributes: dict[str, Any] | None


class ValueReader:
    """Reads values, and names in `unread` what it had to leave out; never raises.

    `iso_dates` says that the document writes dates as ISO 8601: only then is text of that form a date. `repair` repairs
    text that was encoded twice.
    """

    def __init__(self, *, iso_dates: bool, repair: bool) -> None:
        self._unread: dict[str, None] = {}
        self._iso_dates = iso_dates
        self._repair = repair
        self._level = 0
        self._kinds: dict[str, Callable[[dict[str, Any], Path], Found]] = {
            "Entity": self._row,
            "EntityCollection": self._rows,
            "EntityReference": self._lookup,
            "OptionSetValue": self._choice,
            "Money": self._money,
            "BooleanManagedProperty": self._managed,
            "Relationship": self._relationship,
        }

    @property
    def unread(self) -> tuple[str, ...]:
        """What was left out, as names joined by points (`Target.revenue`); the first twenty."""
        return tuple(self._unread)

    def left_out(self, at: Path) -> Unread:
        """Note that the value at `at` could not be read."""
        names: list[str] = []
        while at is not None:
            at, name = at
            names.append(name)
        if len(self._unread) < _MAX_UNREAD:
            self._unread[".".join(reversed(names))[:_MAX_NAME]] = None
        return UNREAD

    def pairs(self, raw: object, at: Path) -> dict[str, Any] | None:
        """A list of keys and values as a mapping; null is empty. None, and left out, if names could not be read."""
        found = _pairs(raw)
        if found is None:
            self.left_out(at)
        return found

    def entity(self, raw: dict[str, Any], at: Path) -> Entity:
        """An Entity or EntityReference; the values of its columns are not read yet."""
        attributes = raw.get("Attributes")
        if attributes is not None:
            attributes = self.pairs(attributes, at)
        if attributes is not None and not all(map(is_column, attributes)):
            attributes = None
            self.left_out(at)
        return Entity(self._table(raw.get("LogicalName"), at), self.guid(raw.get("Id"), at), attributes)

    def values(self, found: dict[str, Any] | None, at: Path, wanted: Container[str]) -> dict[str, Value]:
        """The values of those of `found` that are `wanted` and can be read."""
        if not found or not wanted:
            return {}
        read = {name: self.value(raw, (at, name)) for name, raw in found.items() if name in wanted}
        return {name: value for name, value in read.items() if value is not UNREAD}

    def value(self, raw: Any, at: Path) -> Found:
        """One value of any shape."""
        if isinstance(raw, str):
            return self._text(raw, at)
        if raw is None or isinstance(raw, bool):
            return raw
        if isinstance(raw, (int, Decimal)):
            return self._number(raw, at)
        if raw is UNREAD or self._level == _MAX_LEVELS:
            return self.left_out(at)
        self._level += 1
        found = self._object(raw, at) if isinstance(raw, dict) else self._list(raw, at)
        self._level -= 1
        return found

    def guid(self, raw: object, at: Path) -> str | None:
        """A GUID; None also for text that is not a GUID, which is left out."""
        found = self._guid(raw, at)
        return None if found is UNREAD else found

    def _guid(self, raw: object, at: Path) -> str | Unread | None:
        try:
            return to_guid(raw)
        except ValueError:
            return self.left_out(at)

    def _text(self, raw: str, at: Path) -> Found:
        if dates.looks_like_json_date(raw) or (self._iso_dates and dates.looks_like_iso_date(raw)):
            return self._date(raw, at)
        return mojibake.repair(raw) if self._repair else raw

    def _date(self, raw: object, at: Path) -> Found:
        try:
            return dates.to_time(raw)
        except ValueError:
            return self.left_out(at)

    def _number(self, raw: int | Decimal, at: Path) -> Found:
        if isinstance(raw, int):
            fits = -_INT64 <= raw < _INT64
        else:
            fits = len(raw.as_tuple().digits) <= _MAX_DIGITS and abs(raw.adjusted()) <= _MAX_EXPONENT
        return raw if fits else self.left_out(at)

    def _list(self, raw: list[Any], at: Path) -> Found:
        if raw and all(isinstance(item, dict) and _kind(item) == "OptionSetValue" for item in raw):
            options = [self._choice(item, at) for item in raw]
            if UNREAD in options:
                return UNREAD
            return Choices(tuple(option.value for option in options if isinstance(option, Choice)))
        values = (self.value(item, at) for item in raw)
        return tuple(value for value in values if value is not UNREAD)

    def _object(self, raw: dict[str, Any], at: Path) -> Found:
        if "__value" in raw:
            return self._boxed(raw, at)
        read = self._kinds.get(_kind(raw))
        return read(raw, at) if read else UNREAD

    def _boxed(self, raw: dict[str, Any], at: Path) -> Found:
        """A scalar in a wrapper, `{"__type":"DateTime:#System","__value":..}`."""
        inner = raw["__value"]
        kind = str(raw.get("__type")).partition(":")[0]
        if kind == "DateTime":
            return self._date(inner, at)
        if isinstance(inner, (dict, list)):
            return self.left_out(at)
        if kind == "Guid":
            return self._guid(inner, at)
        return self.value(inner, at)

    def _lookup(self, raw: dict[str, Any], at: Path) -> Found:
        row_id = self._guid(raw.get("Id"), at)
        if row_id is None or row_id is UNREAD:
            return row_id
        table = self._table(raw.get("LogicalName"), at)
        if table is None:
            return self.left_out(at)
        name = raw.get("Name")
        if not isinstance(name, str):
            name = None
        elif self._repair:
            name = mojibake.repair(name)
        return Lookup(table, row_id, name)

    def _choice(self, raw: dict[str, Any], at: Path) -> Found:
        option = raw.get("Value")
        if isinstance(option, int) and not isinstance(option, bool) and abs(option) < _INT64:
            return Choice(option)
        return self.left_out(at)

    def _money(self, raw: dict[str, Any], at: Path) -> Found:
        amount = raw.get("Value")
        if isinstance(amount, (int, Decimal)) and not isinstance(amount, bool):
            number = self._number(amount, at)
            return UNREAD if number is UNREAD else Money(Decimal(amount))
        return self.left_out(at)

    def _managed(self, raw: dict[str, Any], at: Path) -> Found:
        value = raw.get("Value")
        return value if isinstance(value, bool) else self.left_out(at)

    def _relationship(self, raw: dict[str, Any], at: Path) -> Found:
        name = raw.get("SchemaName")
        return name if isinstance(name, str) else self.left_out(at)

    def _row(self, raw: dict[str, Any], at: Path) -> Found:
        entity = self.entity(raw, at)
        return Rows(entity.table, (self._columns(entity, at),), (entity.id,))

    def _rows(self, raw: dict[str, Any], at: Path) -> Found:
        rows = raw.get("Entities")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return self.left_out(at)
        entities = [self.entity(row, at) for row in rows]
        table = self._table(raw.get("EntityName"), at)
        columns = tuple(self._columns(entity, at) for entity in entities)
        return Rows(table, columns, tuple(entity.id for entity in entities))

    def _columns(self, entity: Entity, at: Path) -> dict[str, Value]:
        return self.values(entity.attributes, at, EVERYTHING.carried)

    def _table(self, raw: object, at: Path) -> str | None:
        if raw is None or raw == "":
            return None
        try:
            return to_table(raw)
        except ValueError:
            self.left_out(at)
            return None


def is_row(raw: object) -> TypeGuard[dict[str, Any]]:
    """Whether `raw` is an Entity or an EntityReference."""
    return isinstance(raw, dict) and _kind(raw) in ("Entity", "EntityReference")


def _pairs(raw: object) -> dict[str, Any] | None:
    if raw is None:
        return {}
    if isinstance(raw, dict):  # System.Text.Json, and code that writes JSON by hand
        return raw if len(raw) <= MAX_COLUMNS and all(raw) else None
    if not isinstance(raw, list) or len(raw) > MAX_COLUMNS:
        return None
    found: dict[str, Any] = {}
    for pair in raw:
        key = _member(pair, "key", "Key")
        if not isinstance(key, str) or not key:
            return None
        if key in found:  # it is not known which of the two is meant
            found[key] = UNREAD
        else:
            found[key] = _member(pair, "value", "Value")
    return found


def _member(pair: object, *names: str) -> Any:
    if isinstance(pair, dict):
        for name in names:
            if name in pair:
                return pair[name]
    return None


def _kind(raw: dict[str, Any]) -> str:
    declared = raw.get("__type")
    if isinstance(declared, str):
        return declared.partition(":")[0]
    if "Value" in raw and raw.keys() <= _VALUE_ALONE:
        return "Money" if isinstance(raw["Value"], Decimal) else "OptionSetValue"
    return next((kind for kind, members in _SHAPES.items() if members & raw.keys()), "")


_VALUE_ALONE = {"Value", "ExtensionData"}  # Newtonsoft writes what DataContractJsonSerializer leaves out
_SHAPES = {  # a member shows the kind; the first one present decides
    "Entity": {"Attributes"},
    "EntityCollection": {"Entities"},
    "EntityReference": {"LogicalName"},
    "Relationship": {"SchemaName"},
    "BooleanManagedProperty": {"CanBeChanged", "ManagedPropertyLogicalName"},
}
