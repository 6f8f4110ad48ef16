"""Turns rows as people name them, and values as people type them, into what the Web API accepts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.client.dataverse import Dataverse

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WHOLE = frozenset({"Integer", "BigInt", "Picklist", "State", "Status"})
_NUMBERS = frozenset({"Money", "Decimal", "Double"})
_SHOWN = 10


class RowError(Exception):
    """The table, row, column or value does not exist; the message says what does."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row found: its id and its name."""

    table: str
    id: str
    name: str


class Rows:
    """Looks rows and columns up in the stand-in's own metadata."""

    def __init__(self, dataverse: Dataverse) -> None:
        self._dataverse = dataverse

    def find(self, table: str, wanted: str) -> Row:
        """The one row with this id, this name, or a name that begins so; raises `RowError` for none or several."""
        definition = self._definition(table)
        condition = (
            f"{definition['PrimaryIdAttribute']} eq {wanted}"
            if _GUID.fullmatch(wanted)
            else f"startswith({definition['PrimaryNameAttribute']},'{_quoted(wanted)}')"
        )
        found = self._select(table, definition, condition)
        exact = [row for row in found if row.name.casefold() == wanted.casefold()]
        chosen = exact or found
        if len(chosen) == 1:
            return chosen[0]
        if chosen:
            names = "; ".join(f"{row.name} ({row.id})" for row in chosen)
            raise RowError(f"{len(chosen)} rows of {table} are called {wanted}: {names}. Give the id.")
        there = "; ".join(row.name for row in self._select(table, definition, "")[:_SHOWN]) or "none"
        raise RowError(f"There is no {table} called {wanted}. There are: {there}.")

    def name(self, table: str, row_id: str) -> str | None:
        """The name of a row; None where table or row does not exist."""
        try:
            found = self._select(
                table, definition := self._definition(table), f"{definition['PrimaryIdAttribute']} eq {row_id}"
            )
        except (RowError, requests.HTTPError):
            return None
        return found[0].name if found else None

    def values(self, table: str, assignments: Mapping[str, str]) -> dict[str, Any]:
        """Columns with values of their types; raises `RowError` for a value that a column cannot have.

        An empty value clears the column; a lookup accepts the id or the name of a row; `...@odata.bind` is left
        unchanged.
        """
        set_name = self._definition(table)["EntitySetName"]
        columns = {it["LogicalName"]: it for it in self._metadata(table, "/Attributes")["value"]}
        found: dict[str, Any] = {}
        for name, text in assignments.items():
            if "@" in name:
                found[name] = text
            elif name not in columns:
                raise RowError(f"{set_name} have no column {name}. There are: {', '.join(sorted(columns))}.")
            else:
                found |= self._value(columns[name], text)
        return found

    def _value(self, column: Mapping[str, Any], text: str) -> dict[str, Any]:
        name, kind = column["LogicalName"], column["AttributeType"]
        if kind in {"Lookup", "Customer", "Owner"}:
            return self._lookup(column, text)
        if not text:
            return {name: None}
        try:
            if kind in _WHOLE:
                return {name: int(text)}
            if kind in _NUMBERS:
                return {name: int(text) if text.lstrip("-").isdigit() else float(text)}
            if kind == "Boolean":
                return {name: bool({"true": 1, "false": 0}[text.lower()])}
        except (ValueError, KeyError):
            raise RowError(f"{name} is of type {kind}; {text} is not a value of it.") from None
        return {name: text}

    def _lookup(self, column: Mapping[str, Any], text: str) -> dict[str, Any]:
        navigation = self._navigation(column)
        if not text:
            return dict.fromkeys(navigation.values())
        reasons = []
        for target, property_name in navigation.items():
            try:
                row = self.find(target, text)
            except RowError as error:
                reasons.append(str(error))
            else:
                return {f"{property_name}@odata.bind": f"/{self._definition(target)['EntitySetName']}({row.id})"}
        raise RowError(" ".join(reasons))

    def _navigation(self, column: Mapping[str, Any]) -> dict[str, str]:
        """The navigation property for each table that a lookup may refer to."""
        related = self._metadata(column["EntityLogicalName"], "/ManyToOneRelationships")["value"]
        return {
            it["ReferencedEntity"]: it["ReferencingEntityNavigationPropertyName"]
            for it in related
            if it["ReferencingAttribute"] == column["LogicalName"]
        }

    def _select(self, table: str, definition: Mapping[str, Any], condition: str) -> list[Row]:
        id_column, name_column = definition["PrimaryIdAttribute"], definition["PrimaryNameAttribute"]
        query = {"$select": f"{id_column},{name_column}", "$orderby": name_column}
        if condition:
            query["$filter"] = condition
        rows = self._dataverse.ask("GET", definition["EntitySetName"], params=query).json()["value"]
        return [Row(table, row[id_column], row.get(name_column) or "(no name)") for row in rows]

    def _definition(self, table: str) -> dict[str, Any]:
        try:
            return self._metadata(table, "")
        except requests.HTTPError as error:
            if error.response is None or error.response.status_code != requests.codes.not_found:
                raise
            wanted = {"$select": "LogicalName", "$filter": "CanChangeTrackingBeEnabled/Value eq true"}
            tables = self._dataverse.ask("GET", "EntityDefinitions", params=wanted).json()["value"]
            names = ", ".join(sorted(it["LogicalName"] for it in tables))
            raise RowError(f"There is no table {table}. There are: {names}.") from None

    def _metadata(self, table: str, part: str) -> dict[str, Any]:
        answer = self._dataverse.ask("GET", f"EntityDefinitions(LogicalName='{_quoted(table)}'){part}")
        found: dict[str, Any] = answer.json()
        return found


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def assignments(pairs: list[str]) -> dict[str, str]:
    """`column=value` for each; raises `RowError` for what has no equals sign."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise RowError(f"{pair} is not column=value.")
        found[name.strip()] = value
    return found


def shown(values: Mapping[str, Any]) -> str:
    """Column values for people."""
    return ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
