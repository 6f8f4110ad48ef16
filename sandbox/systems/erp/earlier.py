"""Customers that the ERP had before Dataverse knew them: found by number or tax number, and never made twice."""

import json
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.systems.rest import Refused

_UNLINKED = "earlier:"
"""Begins the ids of customers that belong to no row of Dataverse yet."""
NUMBER = "C-{:06d}"
"""The form of a customer's number."""
_SPACING = re.compile(r"[\s.\-/]")


@dataclass(frozen=True, slots=True)
class Match:
    """How a search ends (`outcome` of the contract), by which key, and the customers that were found."""

    outcome: str
    by: str | None = None
    rows: tuple[sqlite3.Row, ...] = ()

    @property
    def answer(self) -> dict[str, Any]:
        """As the contract has it."""
        return {"outcome": self.outcome, "by": self.by, "numbers": [number_of(row) for row in self.rows]}


class Earlier:
    """Finds them, and gives them the id of the row that they belong to; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, body: dict[str, Any]) -> str:
        """The ERP has had this customer for long; its number."""
        number = self._database.execute("SELECT COUNT(*) + 1 FROM customers").fetchone()[0]
        body = {"kind": "organisation", "status": "active", "sourceVersion": 0} | body
        self._database.execute(
            "INSERT INTO customers VALUES (?, ?, 0, ?)", (f"{_UNLINKED}{number}", number, json.dumps(body))
        )
        return NUMBER.format(number)

    def match(self, keys: dict[str, Any]) -> Match:
        """By the number in Dataverse first, whose customer has to be there; then by the other keys, in their order."""
        wanted = keys.get("customerNumber")
        if wanted:
            found = [row for row in self._all() if number_of(row) == wanted]
            return (
                Match("matched", "customerNumber", tuple(found)) if found else Match("number-unknown", "customerNumber")
            )
        for name in ("accountNumber", "taxNumber"):
            if keys.get(name) and (found := [row for row in self._all() if _has(row, name, keys[name])]):
                if len(found) > 1:
                    return Match("ambiguous", name, tuple(found))
                return Match("matched" if found[0]["id"].startswith(_UNLINKED) else "taken", name, tuple(found))
        return Match("new")

    def taken(self, row_id: str, keys: dict[str, Any]) -> sqlite3.Row | None:
        """The customer that is found belongs to this id from now on; None where there is none; raises `Refused`."""
        match = self.match(keys)
        if match.outcome == "new":
            return None
        if match.outcome != "matched":
            slug = match.outcome if match.outcome == "number-unknown" else f"match-{match.outcome}"
            raise Refused(422, slug, f"Which customer it is cannot be known by {match.by}.")
        [row] = match.rows
        self._database.execute("UPDATE customers SET id = ? WHERE id = ?", (row_id, row["id"]))
        found: sqlite3.Row = self._database.execute("SELECT * FROM customers WHERE id = ?", (row_id,)).fetchone()
        return found

    def _all(self) -> list[sqlite3.Row]:
        return self._database.execute("SELECT * FROM customers ORDER BY number").fetchall()


def number_of(row: sqlite3.Row) -> str:
    """The number of a customer as the ERP writes it."""
    return NUMBER.format(row["number"])


def _has(row: sqlite3.Row, name: str, value: str) -> bool:
    stored = number_of(row) if name == "accountNumber" else json.loads(row["body"]).get(name) or ""
    return _plain(stored) == _plain(value)


def _plain(value: str) -> str:
    return _SPACING.sub("", value).upper()
