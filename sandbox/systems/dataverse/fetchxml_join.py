"""The rows that a FetchXML query finds: joins, filters, and the order."""

from collections.abc import Callable
from typing import Any

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.fetchxml_conditions import Find, Joined, Operand, Test, filter_test
from sandbox.systems.dataverse.fetchxml_query import (
    NO_ALIAS,
    NO_ATTRIBUTE,
    NO_ENTITY,
    Fetch,
    Filter,
    Link,
    Order,
    Source,
    invalid,
)
from sandbox.systems.dataverse.representation import Representation
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.selection import sort_key
from sandbox.systems.dataverse.store import Row, Store

_CHOICES = frozenset({"Picklist", "State", "Status", "Boolean"})


class Join:
    """One query over the tables that it names."""

    def __init__(self, store: Store, schema: Schema, fetch: Fetch, user_id: str) -> None:
        self._store, self._schema, self._fetch, self._user_id = store, schema, fetch, user_id
        self._representation = Representation(store, schema)
        self._tables: dict[str, Table] = {}
        self._name(fetch.entity)

    def table(self, alias: str) -> Table:
        """The table that an alias stands for."""
        return self._tables[alias]

    def operand(self, alias: str | None, column: str) -> Operand:
        """A column, found in joined rows; 400 for a table or a column that there is not."""
        alias = alias or self._fetch.entity.alias
        if alias not in self._tables:
            raise invalid(f"There is no link-entity with the alias '{alias}'.", NO_ALIAS)
        table = self._tables[alias]
        found = column_of(table, column)
        return Operand(
            found,
            lambda joined: stored(table, found, joined.get(alias)),
            lambda joined: _shown(found, joined.get(alias)),
        )

    def rows(self) -> list[Joined]:
        """The joined rows in their order; the primary key decides between equal ones."""
        entity = self._fetch.entity
        found: list[Joined] = [{entity.alias: row} for row in self._store.rows(entity.name)]
        for link in entity.links:
            found = self._joined(found, entity.alias, link)
        for each in entity.filters:
            found = list(filter(self._test(each, entity.alias), found))
        for alias in reversed(self._tables):
            found.sort(key=lambda joined, alias=alias: getattr(joined.get(alias), "id", ""))  # type: ignore[misc]
        for order, alias in reversed(self._orders(entity)):
            self._sort(found, order, alias)
        return found

    def _name(self, source: Source) -> None:
        """Note the tables of a source and of the links in it; an alias stands for one of them."""
        table = self._schema.get(source.name)
        if table is None:
            raise no_such_table(source.name)
        if source.alias in self._tables:
            raise invalid(f"The alias '{source.alias}' is used more than once.")
        self._tables[source.alias] = table
        for attribute in source.attributes:
            column_of(table, attribute.name)
        for link in source.links:
            self._name(link.source)

    def _joined(self, rows: list[Joined], around: str, link: Link) -> list[Joined]:
        alias = link.source.alias
        matching, to = self._matching(link), self.operand(around, link.to)
        joined: list[Joined] = []
        for row in rows:
            found = matching.get(to.value(row), [])
            if link.kind in {"exists", "in"}:
                joined += [row] if found else []
                continue
            if not found and link.kind != "inner":
                found = [{}]
            joined += [row | {alias: None} | each for each in (found[:1] if "first" in link.kind else found)]
        return joined

    def _matching(self, link: Link) -> dict[Any, list[Joined]]:
        """The rows of a link with those of the links in it, filtered, by the value of the column `from`."""
        source = link.source
        found: list[Joined] = [{source.alias: row} for row in self._store.rows(source.name)]
        for inner in source.links:
            found = self._joined(found, source.alias, inner)
        for each in source.filters:
            found = list(filter(self._test(each, source.alias), found))
        start = self.operand(source.alias, link.start)
        by_value: dict[Any, list[Joined]] = {}
        for row in found:
            value = start.value(row)
            if value is not None:
                by_value.setdefault(value, []).append(row)
        return by_value

    def _test(self, parts: Filter, alias: str) -> Test:
        find: Find = lambda entity, column: self.operand(entity or alias, column)  # noqa: E731 -- one expression
        return filter_test(parts, find, lambda link: self._link_test(link, alias), self._user_id)

    def _link_test(self, link: Link, around: str) -> Test:
        """`any` and `not all`: a row matches; `not any`: none does; `all`: there are rows, of which none matches."""
        before = dict(self._tables)
        self._name(link.source)
        to, matching = self.operand(around, link.to), self._matching(link)
        bare = Link(Source(link.source.name, link.source.alias), link.start, link.to, link.kind)
        anything = self._matching(bare)
        tests: dict[str, Callable[[Any], bool]] = {
            "any": lambda value: value in matching,
            "not all": lambda value: value in matching,
            "not any": lambda value: value not in matching,
            "all": lambda value: value in anything and value not in matching,
        }
        test = tests[link.kind]
        self._tables = before
        return lambda joined: test(to.value(joined))

    def _orders(self, source: Source) -> list[tuple[Order, str]]:
        """Those of the entity come before those of the links."""
        found = [(order, order.entity or source.alias) for order in source.orders]
        for link in source.links:
            found += self._orders(link.source)
        return found

    def _sort(self, rows: list[Joined], order: Order, alias: str) -> None:
        if order.column is None:
            raise invalid("An order by alias is for aggregate queries.")
        operand = self.operand(alias, order.column)
        key = self._order_key(operand.column)
        value = operand.value
        rows.sort(key=lambda row: sort_key(key(value(row), row.get(alias))), reverse=order.descending)

    def _order_key(self, column: Column) -> Callable[[Any, Row | None], Any]:
        """Lookups sort by the name of the row behind them, choices by their label."""
        if column.is_lookup:
            return lambda _, row: self._name_behind(column, row)
        if column.type in _CHOICES and not self._fetch.raw_order:
            return lambda value, _: _folded(values.formatted(column, value))
        return lambda value, _: value

    def _name_behind(self, column: Column, row: Row | None) -> str | None:
        reference = row.values.get(column.name) if row is not None else None
        return _folded(self._representation.name_of(reference) if reference else None)


def column_of(table: Table, name: str) -> Column:
    """A column by its logical name; 400 without one."""
    column = table.columns.get(name)
    if column is None:
        said = f"'{table.name}' entity doesn't contain attribute with Name = '{name}' and NameMapping = 'Logical'."
        raise invalid(said, NO_ATTRIBUTE)
    return column


def stored(table: Table, column: Column, row: Row | None) -> Any:
    """The value of a column in the form in which values compare."""
    if row is None:
        return None
    if column.name == table.id_column:
        return row.id
    if column.name == "versionnumber":
        return row.version
    return values.literal(column, row.values.get(column.name))


def no_such_table(name: str) -> Exception:
    """400: FetchXML names a table that is not there."""
    said = f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the MetadataCache."
    return invalid(said, NO_ENTITY)


def _shown(column: Column, row: Row | None) -> Any:
    if row is None:
        return None
    return row.version if column.name == "versionnumber" else values.web(column, row.values.get(column.name))


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
