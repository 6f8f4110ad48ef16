"""The rows of all companies: kept in a file, each under its company and its key, with its record version."""

import base64
import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.finance_operations.errors import not_there, refused, stale
from sandbox.systems.finance_operations.fields import ENTITIES

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    rec_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, company TEXT, key TEXT, version INTEGER, body TEXT NOT NULL,
    UNIQUE (kind, company, key));
CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, kind TEXT, id TEXT, number TEXT, body TEXT);
"""
_EFFECTS = {"CustomersV3": "customer", "SalesOrderHeadersV2": "order", "SalesOrderLines": "order-line"}


class Rows:
    """Rows by entity set and company; callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def all(self, kind: str, company: str | None) -> list[dict[str, Any]]:
        """The rows of one company, or of all, in the order in which they were inserted."""
        found = self._database.execute(
            "SELECT * FROM rows WHERE kind = ? AND (? IS NULL OR company = ?) ORDER BY rec_id",
            (kind, company, company),
        )
        return [_as_sent(row) for row in found]

    def get(self, kind: str, company: str, key: str) -> dict[str, Any]:
        """One row; 404 where there is none."""
        found = self.look(kind, company, key)
        if found is None:
            raise not_there()
        return found

    def look(self, kind: str, company: str, key: str) -> dict[str, Any] | None:
        """One row, or None; keys are compared without case."""
        found = self._database.execute(
            "SELECT * FROM rows WHERE kind = ? AND company = ? AND key = ? COLLATE NOCASE", (kind, company, key)
        ).fetchone()
        return None if found is None else _as_sent(found)

    def next_of(self, sequence: str, form: str) -> str:
        """The next number of a sequence."""
        self._database.execute("INSERT OR IGNORE INTO sequences VALUES (?, 0)", (sequence,))
        self._database.execute("UPDATE sequences SET last = last + 1 WHERE name = ?", (sequence,))
        last = self._database.execute("SELECT last FROM sequences WHERE name = ?", (sequence,)).fetchone()["last"]
        return form.format(last)

    def insert(self, kind: str, company: str, body: dict[str, Any]) -> dict[str, Any]:
        """Insert a row; refused where its key is taken."""
        entity = ENTITIES[kind]
        key = str(body[entity.key])
        if self.look(kind, company, key) is not None:
            said = f"Info: Cannot create a record in {entity.name}. {key}. The record already exists."
            raise refused(entity.name, said)
        self._database.execute(
            "INSERT INTO rows (kind, company, key, version, body) VALUES (?, ?, ?, 1, ?)",
            (kind, company, key, json.dumps(body)),
        )
        self._note(kind, "created", company, body)
        return self.get(kind, company, key)

    def update(self, kind: str, company: str, key: str, changes: dict[str, Any], *, if_match: str | None) -> None:
        """Change a row; 412 for an ETag that is not the row's. Without an ETag the last one wins."""
        row = self.get(kind, company, key)
        check(row, if_match)
        body = {name: value for name, value in row.items() if name in ENTITIES[kind].defaults} | changes
        self._database.execute(
            "UPDATE rows SET version = version + 1, key = ?, body = ? WHERE kind = ? AND company = ? AND key = ?",
            (body[ENTITIES[kind].key], json.dumps(body), kind, company, row[ENTITIES[kind].key]),
        )
        self._note(kind, "updated", company, body)

    def delete(self, kind: str, company: str, key: str, *, if_match: str | None) -> None:
        """Delete a row; ETags as for a change."""
        row = self.get(kind, company, key)
        check(row, if_match)
        self._database.execute(
            "DELETE FROM rows WHERE kind = ? AND company = ? AND key = ?", (kind, company, row[ENTITIES[kind].key])
        )
        self._note(kind, "deleted", company, row)

    def effects(self) -> list[dict[str, Any]]:
        """What was really done, oldest first."""
        lines = self._database.execute("SELECT * FROM effects ORDER BY seq")
        return [
            {name: line[name] for name in ("at", "kind", "id", "number")} | {"body": json.loads(line["body"])}
            for line in lines
        ]

    def _note(self, kind: str, what: str, company: str, body: dict[str, Any]) -> None:
        entity = ENTITIES[kind]
        number = body.get("SalesOrderNumber") or body.get(entity.key)
        self._database.execute(
            "INSERT INTO effects (at, kind, id, number, body) VALUES (?, ?, ?, ?, ?)",
            (
                datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                f"{_EFFECTS.get(kind, kind)}-{what}",
                f"{company}/{body[entity.key]}",
                number,
                json.dumps(body),
            ),
        )


def check(row: dict[str, Any], if_match: str | None) -> None:
    """412 where an ETag was sent that is not the row's; `*` fits any."""
    if if_match not in {None, "*", row["@odata.etag"]}:
        raise stale()


def _as_sent(row: sqlite3.Row) -> dict[str, Any]:
    """With an ETag that is made of record version and record id, as there."""
    tag = base64.b64encode(f"'{row['version']},{row['rec_id']}'".encode()).decode()
    return {"@odata.etag": f'W/"{tag}"', "dataAreaId": row["company"], **json.loads(row["body"])}
