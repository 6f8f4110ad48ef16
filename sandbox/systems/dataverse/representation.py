"""Rows as Web API answers show them."""

from collections.abc import Callable
from typing import Any

from sandbox.systems.dataverse import values
from sandbox.systems.dataverse.errors import no_such_property
from sandbox.systems.dataverse.query import Preferences, Query
from sandbox.systems.dataverse.schema import Column, Schema, Table
from sandbox.systems.dataverse.store import Row, Store

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"

Related = Callable[[Table, Row, Query], dict[str, Any]]
"""The properties of a row that `$expand` adds."""


class Representation:
    """Shows rows with selected columns, annotations and expanded rows."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store, self._schema = store, schema

    def name_of(self, reference: dict[str, str]) -> str | None:
        """The primary name of the row that a lookup refers to."""
        row = self._store.get(reference["table"], reference["id"])
        table = self._schema.get(reference["table"])
        return None if row is None or table is None else row.values.get(table.name_column)

    def row(
        self, table: Table, row: Row, query: Query, preferences: Preferences, related: Related | None = None
    ) -> dict[str, Any]:
        """One row; the primary key is always there, nulls too. `related` shows what is expanded."""
        shown: dict[str, Any] = {"@odata.etag": row.etag}
        for column in self._columns(table, query.select):
            shown |= self.column(column, row, preferences, column.property_name)
        shown.setdefault(table.id_column, row.id)
        if related is not None:
            shown |= related(table, row, query)
        return shown

    def check(self, table: Table, query: Query) -> None:
        """400 for columns that the table does not have."""
        self._columns(table, query.select)

    def _columns(self, table: Table, select: tuple[str, ...] | None) -> list[Column]:
        if select is None:
            return list(table.columns.values())
        unknown = [name for name in select if name not in table.by_property]
        if unknown:
            raise no_such_property(unknown[0], table.name)
        return [table.by_property[name] for name in select]

    def column(self, column: Column, row: Row, preferences: Preferences, name: str) -> dict[str, Any]:
        """One column under a name, with the annotations that are asked for."""
        value: Any = row.version if column.name == "versionnumber" else row.values.get(column.name)
        shown = {name: values.web(column, value)}
        if value is None or not preferences.annotations:
            return shown
        if column.is_lookup:
            annotations = {
                FORMATTED: self.name_of(value),
                NAVIGATION: column.navigation.get(value["table"]),
                LOGICAL_NAME: value["table"],
            }
        else:
            annotations = {FORMATTED: values.formatted(column, value, symbol=self._symbol(column, row))}
        for annotation, text in annotations.items():
            if text is not None and preferences.annotates(annotation):
                shown[f"{name}@{annotation}"] = text
        return shown

    def _symbol(self, column: Column, row: Row) -> str:
        currency = row.values.get("transactioncurrencyid")
        found = self._store.get(currency["table"], currency["id"]) if column.type == "Money" and currency else None
        return "" if found is None else str(found.values.get("currencysymbol") or "")
