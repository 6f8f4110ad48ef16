"""An entity set: rows of an ERP as a virtual table of Dataverse. One file of the package `sets` declares it.

    entity_set = EntitySet(
        name="erpcustomers",
        key="erpcustomerid",
        columns=(Column("number", Edm.STRING, length=20, required=True), Column("balance", Edm.DECIMAL)),
        served={"business-central": ServedBy("customers", key=RowId(), unique="number",
                                             fields={"number": Field("number"), "balance": Field("balanceDue")})},
    )

The set has, for each adapter, the columns that this adapter gives a field for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from integration.virtual_tables.edm import Edm, Value, from_json, moment_of
from integration.virtual_tables.keys import Key


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `length` is the longest text, `scale` the decimal places. Dataverse may only send `writable` ones.

    A `required` column is never null: Dataverse has to have it as Business Required. A column that the ERP works out
    for each row may be shown but not `filtered` or `sorted`. `day` says of a time that it is a date,
    `personal` that its values are about a person.
    """

    name: str
    edm: Edm
    label: str = ""
    length: int = 100
    scale: int = 4
    required: bool = False
    writable: bool = False
    filtered: bool = True
    sorted: bool = True
    day: bool = False
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """What a column is in one system: the name of the field, and how its values differ.

    `words` maps each value of the system to ours (None for null); if several map to the same one, filters use the
    first. `nothing` are values that stand for none, such as an empty date. `is_date` says that the system has a date
    where Dataverse has a time, `enum` that literals carry the name of a type, and `pushed` whether filters and sorting
    can be passed on for it.
    """

    name: str
    words: Mapping[str, str | None] = field(default_factory=dict)
    nothing: frozenset[Any] = frozenset()
    is_date: bool = False
    enum: str = ""
    pushed: bool = True

    def value(self, given: Any, edm: Edm) -> Value:
        """The value of the column, of a field's value in JSON; raises `ValueError` where it is not of its type."""
        if given is None or given in self.nothing or (self.is_date and not given):
            return None
        if self.words and str(given) in self.words:
            return self.words[str(given)]
        if self.is_date:
            return moment_of(str(given))
        return from_json(given, edm)

    def raw(self, value: Value) -> Any:
        """What is sent for a value of the column."""
        theirs = next((it for it, ours in self.words.items() if ours == value), None)
        return value if theirs is None else theirs


@dataclass(frozen=True, slots=True)
class ServedBy:
    """How one kind of system serves a set: its collection, the row's key, the field whose order is unique, the fields.

    `defaults` are sent with each new row; of a `read_only` one nothing is written.
    """

    collection: str
    key: Key
    unique: str
    fields: Mapping[str, Field]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class EntitySet:
    """The declaration; `freshness` is how many seconds an answer may be given again, 0 for never.

    `name` is the External Name of the virtual table, `key` its primary key, `title` the column that is its name.
    `records` are the kind of records of the system's events that these rows are (`customer`).
    Raises `ValueError` for mistakes in it.
    """

    name: str
    key: str
    title: str
    columns: tuple[Column, ...]
    served: Mapping[str, ServedBy]
    system: str = "erp"
    records: str = ""
    label: str = ""
    freshness: float = 10.0
    creates: bool = False
    deletes: bool = False

    def __post_init__(self) -> None:
        names = [self.key, *(it.name for it in self.columns)]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a column is declared twice")
        if self.title not in names:
            raise ValueError(f"{self.name}: there is no column {self.title}")
        for kind, served in self.served.items():
            if unknown := served.fields.keys() - set(names):
                raise ValueError(f"{self.name}: {kind} serves {', '.join(sorted(unknown))}, which is no column")
            if missing := [it.name for it in self.columns if it.required and it.name not in served.fields]:
                raise ValueError(f"{self.name}: {kind} does not serve {', '.join(missing)}, which is required")

    def of(self, kind: str) -> "ServedSet | None":
        """The set as systems of a kind serve it; None where they do not."""
        served = self.served.get(kind)
        return None if served is None else ServedSet(self, served)


@dataclass(frozen=True, slots=True)
class ServedSet:
    """A set as one system serves it."""

    declared: EntitySet
    by: ServedBy
    columns: tuple[Column, ...] = field(init=False, repr=False, compare=False)
    """The columns that the system has a field for, without the key."""
    types: Mapping[str, Edm] = field(init=False, repr=False, compare=False)
    """The type of every column, the key first."""

    def __post_init__(self) -> None:
        """Each row is read with them: they are made once."""
        served = (it for it in self.declared.columns if it.name in self.by.fields)
        columns = tuple(replace(it, writable=it.writable and not self.by.read_only) for it in served)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "types", {self.declared.key: Edm.GUID, **{it.name: it.edm for it in columns}})

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.declared.name

    def row(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """A row of the system as a row of the set; raises `ValueError` where a field is not of its column's type."""
        found: dict[str, Value] = {self.declared.key: self.by.key.of(given)}
        for column in self.columns:
            there = self.by.fields[column.name]
            try:
                value = there.value(given.get(there.name), column.edm)
            except ValueError as wrong:
                raise ValueError(f"{column.name} {wrong}") from None
            if isinstance(value, str) and column.edm is Edm.STRING and len(value) > column.length:
                value = value[: column.length]
            found[column.name] = value
        return found
