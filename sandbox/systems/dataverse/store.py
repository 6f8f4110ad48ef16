"""Rows in sqlite: what was committed survives the process being killed.

A stored value is None, bool, int, str, or `{"table": ..., "id": ...}` for lookups. Decimals and amounts are strings of
digits, times are `2026-01-31T10:15:30Z`, days `2026-01-31`.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST_VERSION = 1_000_000
SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS rows (
    tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (tbl, id));
CREATE TABLE IF NOT EXISTS deleted (
    tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (tbl, id));
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, step TEXT NOT NULL, created TEXT NOT NULL,
    mode INTEGER NOT NULL, message TEXT NOT NULL, tbl TEXT NOT NULL, row_id TEXT NOT NULL, headers TEXT NOT NULL,
    body TEXT NOT NULL, outcome INTEGER, attempts TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS pending_jobs ON jobs (seq) WHERE outcome IS NULL;
"""

Values = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row and its version (`versionnumber`, the digits in its ETag)."""

    table: str
    id: str
    version: int
    values: Values

    @property
    def etag(self) -> str:
        """The weak ETag."""
        return f'W/"{self.version}"'

    @property
    def reference(self) -> dict[str, str]:
        """The value of a lookup that refers to this row."""
        return {"table": self.table, "id": self.id}


class KeyViolated(Exception):
    """An alternate key would not be unique any more; the argument is the index's name."""


class Store:
    """The rows of all tables, a version counter, settings and system jobs."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested uses join the outer transaction."""
        if self.database.in_transaction:
            yield
            return
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def enforce_key(self, table: str, columns: tuple[str, ...]) -> None:
        """Make an alternate key unique; rows in which one of its columns is null are left out."""
        index = f"key:{table}:{','.join(columns)}"
        parts = ", ".join(f"{_extract(column)} COLLATE NOCASE" for column in columns)
        given = " AND ".join(f"{_extract(column)} IS NOT NULL" for column in columns)
        self.database.execute(
            f"CREATE UNIQUE INDEX IF NOT EXISTS \"{index}\" ON rows ({parts}) WHERE tbl = '{table}' AND {given}"
        )

    def release_key(self, table: str, columns: tuple[str, ...]) -> None:
        """An alternate key is unique no longer."""
        self.database.execute(f'DROP INDEX IF EXISTS "key:{table}:{",".join(columns)}"')

    def forget_column(self, table: str, column: str) -> None:
        """A column was deleted: take its values out of every row, without a new version."""
        self.database.execute("UPDATE rows SET data = json_remove(data, ?) WHERE tbl = ?", (f"$.{column}", table))

    def forget_table(self, table: str) -> None:
        """Delete the rows of a table that was deleted; no deletion of a row is recorded."""
        self.database.execute("DELETE FROM rows WHERE tbl = ?", (table,))
        self.database.execute("DELETE FROM deleted WHERE tbl = ?", (table,))

    def get(self, table: str, row_id: str) -> Row | None:
        """One row by its primary key."""
        found = self.database.execute("SELECT * FROM rows WHERE tbl = ? AND id = ?", (table, row_id)).fetchone()
        return None if found is None else _row(found)

    def find(self, table: str, key: Mapping[str, Any]) -> Row | None:
        """The row whose columns have these values; strings compare as Dataverse does, ignoring case."""
        where = " AND ".join(f"{_extract(column)} = ? COLLATE NOCASE" for column in key)
        found = self.database.execute(
            f"SELECT * FROM rows WHERE tbl = '{table}' AND {where} LIMIT 1",  # noqa: S608 -- names come from the schema
            tuple(key.values()),
        ).fetchone()
        return None if found is None else _row(found)

    def rows(self, table: str, *, since: int = 0) -> list[Row]:
        """Every row of a table that was written after version `since`, oldest change first."""
        found = self.database.execute(
            "SELECT * FROM rows WHERE tbl = ? AND version > ? ORDER BY version", (table, since)
        )
        return [_row(each) for each in found]

    def behind(self, table: str, row_id: str) -> Iterator[Row]:
        """The rows of a table in the order of their primary keys, behind this one, read one by one."""
        found = self.database.execute("SELECT * FROM rows WHERE tbl = ? AND id > ? ORDER BY id", (table, row_id))
        return map(_row, found)

    def referring(self, table: str, column: str, row: Row) -> list[Row]:
        """The rows of a table whose lookup in this column refers to a row."""
        return [each for each in self.rows(table) if each.values.get(column) == row.reference]

    def deleted(self, table: str, *, since: int) -> list[str]:
        """Primary keys of rows deleted after version `since`."""
        found = self.database.execute(
            "SELECT id FROM deleted WHERE tbl = ? AND version > ? ORDER BY version", (table, since)
        )
        return [each["id"] for each in found]

    def put(self, table: str, row_id: str, values: Values) -> Row:
        """Write a row, giving it the next version."""
        row = Row(table, row_id, self.next_version(), values)
        try:
            self.database.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?)"
                " ON CONFLICT (tbl, id) DO UPDATE SET version = excluded.version, data = excluded.data",
                (table, row_id, row.version, json.dumps(values)),
            )
        except sqlite3.IntegrityError as violated:
            raise KeyViolated(str(violated)) from violated
        self.database.execute("DELETE FROM deleted WHERE tbl = ? AND id = ?", (table, row_id))
        return row

    def remove(self, table: str, row_id: str) -> None:
        """Delete a row and remember that it was there."""
        self.database.execute("DELETE FROM rows WHERE tbl = ? AND id = ?", (table, row_id))
        self.database.execute("INSERT OR REPLACE INTO deleted VALUES (?, ?, ?)", (table, row_id, self.next_version()))

    def version(self) -> int:
        """The last version given."""
        return int(self.setting("version") or FIRST_VERSION)

    def next_version(self) -> int:
        """A version that no row has had."""
        version = self.version() + 1
        self.set_setting("version", str(version))
        return version

    def setting(self, name: str) -> str | None:
        """A stored setting."""
        found = self.database.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        self.database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _extract(column: str) -> str:
    return f"json_extract(data, '$.{column}')"


def _row(found: sqlite3.Row) -> Row:
    return Row(found["tbl"], found["id"], found["version"], json.loads(found["data"]))
