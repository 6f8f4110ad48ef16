"""One-to-many relationships from their one side: collection-valued navigation properties."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store

LINKS_AT_MOST = 15
"""`$expand` options and link-entity elements in one query ("Join tables", Microsoft's documentation)."""


@dataclass(frozen=True)
class Relationship:
    """`column` of `table` refers to rows of `target`, which have the collection `name`."""

    name: str
    target: str
    table: Table
    column: Column

    def rows(self, store: Store, row_id: str) -> list[Row]:
        """The rows that refer to a row of the target."""
        return [row for row in store.rows(self.table.name) if self.holds(row, row_id)]

    def holds(self, row: Row, row_id: str) -> bool:
        """Whether a row refers to that row."""
        return row.values.get(self.column.name) == {"table": self.target, "id": row_id}


def relationships(schema: Schema) -> Iterator[Relationship]:
    """Every relationship whose collection has a name: those of schema.json, and those of custom columns."""
    for table in schema:
        for column in table.columns.values():
            for target in column.navigation if column.is_lookup else ():
                if schema.get(target) is not None and (name := collection_name(table, column, target)) is not None:
                    yield Relationship(name, target, table, column)


def collections(schema: Schema, table: Table) -> dict[str, Relationship]:
    """The collections of a table, by name."""
    return {each.name: each for each in relationships(schema) if each.target == table.name}


def target_of(schema: Schema, table: Table, navigation: str) -> Table | None:
    """The table behind a navigation property of either kind, where it leads to one table."""
    if navigation in table.by_navigation:
        column, target = table.by_navigation[navigation]
        return schema.get(target or next(iter(column.navigation)))
    found = collections(schema, table).get(navigation)
    return None if found is None else found.table


def collection_name(table: Table, column: Column, target: str) -> str | None:
    """The collection-valued navigation property of a lookup's relationship to a table, if it has one here."""
    named = column.definition.get("CollectionProperties", {}).get(target)
    if named is None and column.definition.get("IsCustomAttribute"):
        return f"{target}_{table.name}_{column.name}"
    return None if named is None else str(named)
