"""The tables of the environment, as docs/reference/dataverse/schema.json and the app's flows describe them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.systems.dataverse import declared_flows
from sandbox.systems.dataverse.declared_tables import with_flows

LOOKUP_TYPES = frozenset({"Lookup", "Customer", "Owner"})


@dataclass(frozen=True)
class Column:
    """One attribute; `options` maps a choice's value to its label, `states` a status reason to its state."""

    name: str
    type: str
    definition: dict[str, Any]
    options: dict[int, str]
    states: dict[int, int]
    navigation: dict[str, str]

    @property
    def is_lookup(self) -> bool:
        """Whether the value refers to a row."""
        return self.type in LOOKUP_TYPES

    @property
    def property_name(self) -> str:
        """The name in Web API answers: `_x_value` for lookups."""
        return f"_{self.name}_value" if self.is_lookup else self.name

    @property
    def date_only(self) -> bool:
        """Whether a DateTime holds a day."""
        return bool(self.definition.get("Format") == "DateOnly")

    @property
    def is_secret(self) -> bool:
        """Whether the value can be written and never read."""
        return bool(self.definition.get("IsSecured", False))

    @property
    def external_name(self) -> str:
        """What the column is called behind a virtual table; empty elsewhere."""
        return str(self.definition.get("ExternalName") or "")

    def writable(self, message: str) -> bool:
        """Whether a client's value is taken on Create or Update; others are ignored, as Dataverse does."""
        return bool(self.definition.get(f"IsValidFor{message}", True))

    @classmethod
    def load(cls, definition: dict[str, Any]) -> "Column":
        """Read one entry of `Attributes`."""
        listed = definition.get("OptionSet", {})
        options = listed.get("Options") or [o for o in (listed.get("FalseOption"), listed.get("TrueOption")) if o]
        name, kind = definition["LogicalName"], definition["AttributeType"]
        targets = definition.get("Targets", [])
        return cls(
            name=name,
            type=kind,
            definition=definition,
            options={option["Value"]: option["Label"] for option in options},
            states={option["Value"]: option["State"] for option in options if "State" in option},
            navigation=definition.get("NavigationProperties") or dict.fromkeys(targets, name),
        )


@dataclass
class Table:
    """One entity definition."""

    definition: dict[str, Any]
    columns: dict[str, Column]
    key_definitions: list[dict[str, Any]]
    by_property: dict[str, Column] = field(init=False)
    by_navigation: dict[str, tuple[Column, str | None]] = field(init=False)

    def __post_init__(self) -> None:
        """Build the look-ups; a navigation property that several tables share (ownerid) has no target of its own."""
        self.by_property = {column.property_name: column for column in self.columns.values()}
        self.by_navigation = {}
        for column in self.columns.values():
            for target, navigation in column.navigation.items():
                shared = list(column.navigation.values()).count(navigation) > 1
                self.by_navigation[navigation] = (column, None if shared else target)

    @classmethod
    def load(cls, definition: dict[str, Any], *, without_custom: bool = False) -> "Table":
        """Read one entry of `EntityDefinitions`."""
        attributes = [a for a in definition["Attributes"] if not (without_custom and a.get("IsCustomAttribute"))]
        columns = {each["LogicalName"]: Column.load(each) for each in attributes}
        keys = [key for key in definition["Keys"] if all(name in columns for name in key["KeyAttributes"])]
        return cls({k: v for k, v in definition.items() if k not in {"Attributes", "Keys"}}, columns, keys)

    def whole(self) -> dict[str, Any]:
        """The definition as `load` takes it, with what was added since."""
        attributes = [column.definition for column in self.columns.values()]
        return self.definition | {"Attributes": attributes, "Keys": self.key_definitions}

    def with_column(self, definition: dict[str, Any]) -> dict[str, Any]:
        """The same with a column more, or in the place of the one with its name."""
        columns = {name: column.definition for name, column in self.columns.items()}
        return self.whole() | {"Attributes": list((columns | {definition["LogicalName"]: definition}).values())}

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The columns of each alternate key."""
        return [tuple(key["KeyAttributes"]) for key in self.key_definitions]

    @property
    def name(self) -> str:
        """The logical name."""
        return str(self.definition["LogicalName"])

    @property
    def set_name(self) -> str:
        """The entity set name."""
        return str(self.definition["EntitySetName"])

    @property
    def id_column(self) -> str:
        """The primary key's column."""
        return str(self.definition["PrimaryIdAttribute"])

    @property
    def name_column(self) -> str:
        """The primary name's column."""
        return str(self.definition["PrimaryNameAttribute"])

    @property
    def user_owned(self) -> bool:
        """Whether rows have an owner."""
        return bool(self.definition["OwnershipType"] == "UserOwned")

    @property
    def is_virtual(self) -> bool:
        """Whether the rows are those of a data provider."""
        return self.definition.get("DataProviderId") is not None

    @property
    def has_events(self) -> bool:
        """Whether steps can be registered on the table."""
        return bool(self.definition.get("HasEvents", True))

    @property
    def optimistic_concurrency(self) -> bool:
        """Whether If-Match with an ETag is honoured."""
        return bool(self.definition["IsOptimisticConcurrencyEnabled"])

    @property
    def change_tracking(self) -> bool:
        """Whether delta links are given."""
        return bool(self.definition["ChangeTrackingEnabled"])


class Schema:
    """All tables; `without_custom` leaves out our own columns, as in an environment that nobody has prepared yet."""

    def __init__(self, definitions: list[dict[str, Any]], *, without_custom: bool = False) -> None:
        self._tables: dict[str, Table] = {}
        self._by_set: dict[str, Table] = {}
        for definition in definitions:
            self._put(Table.load(definition, without_custom=without_custom))

    def __iter__(self) -> Iterator[Table]:
        return iter(self._tables.values())

    def __getitem__(self, logical_name: str) -> Table:
        return self._tables[logical_name]

    def get(self, logical_name: str) -> Table | None:
        """The table of that logical name."""
        return self._tables.get(logical_name)

    def by_set(self, set_name: str) -> Table | None:
        """The table of that entity set."""
        return self._by_set.get(set_name)

    def define(self, definition: dict[str, Any]) -> Table:
        """Add a table, or replace its definition."""
        return self._put(Table.load(definition))

    def forget(self, logical_name: str) -> None:
        """Remove a table."""
        del self._by_set[self._tables.pop(logical_name).set_name]

    def _put(self, table: Table) -> Table:
        self._tables[table.name] = self._by_set[table.set_name] = table
        return table

    @classmethod
    def load(cls, path: Path, *, without_custom: bool = False) -> "Schema":
        """Read schema.json, and what the app's flows add to it."""
        definitions = json.loads(path.read_text("utf-8"))["EntityDefinitions"]
        return cls(with_flows(definitions, declared_flows.flows()), without_custom=without_custom)
