"""The rows of one company: kept in a file, each with its ETag and the time it was changed."""

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.systems.business_central.errors import BusinessCentralError, bad_request, not_found

SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    kind TEXT, id TEXT, number TEXT, parent TEXT, version INTEGER, body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE UNIQUE INDEX IF NOT EXISTS numbers ON rows (kind, number) WHERE number IS NOT NULL;
CREATE INDEX IF NOT EXISTS parents ON rows (kind, parent);
CREATE TABLE IF NOT EXISTS series (kind TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, kind TEXT, id TEXT, number TEXT, body TEXT);
"""
_FIRST_NUMBER = {"customers": "C{:05d}", "salesOrders": "S-ORD{:06d}", "salesInvoices": "PS-INV{:06d}",
                 "salesShipments": "S-SHPT{:06d}"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What webhooks report: `how` is created, updated or deleted. A change of a line is one of its order."""

    kind: str
    row_id: str
    how: str
    at: str


class Rows:
    """Rows by kind (`customers`, `salesOrders`, `salesOrderLines`, ...); callers hold the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._changes: list[Change] = []

    def taken_changes(self) -> list[Change]:
        """What has changed since this was last asked."""
        changes, self._changes = self._changes, []
        return changes

    def all(self, kind: str, parent: str | None = None) -> list[dict[str, Any]]:
        """The rows of a kind, of one parent only where one is named, in the order of their numbers."""
        found = self._database.execute(
            "SELECT * FROM rows WHERE kind = ? AND (? IS NULL OR parent = ?) ORDER BY number, rowid",
            (kind, parent, parent),
        )
        return [_as_sent(row) for row in found]

    def get(self, kind: str, row_id: str) -> dict[str, Any]:
        """One row; 404 where there is none."""
        found = self._database.execute("SELECT * FROM rows WHERE kind = ? AND id = ?", (kind, row_id)).fetchone()
        if found is None:
            raise not_found()
        return _as_sent(found)

    def by_number(self, kind: str, number: str) -> dict[str, Any] | None:
        """The row with this number."""
        found = self._database.execute("SELECT * FROM rows WHERE kind = ? AND number = ?", (kind, number)).fetchone()
        return None if found is None else _as_sent(found)

    def next_number(self, kind: str) -> str:
        """The next number of the series."""
        self._database.execute("INSERT OR IGNORE INTO series VALUES (?, 0)", (kind,))
        self._database.execute("UPDATE series SET last = last + 1 WHERE kind = ?", (kind,))
        last = self._database.execute("SELECT last FROM series WHERE kind = ?", (kind,)).fetchone()["last"]
        return _FIRST_NUMBER[kind].format(last)

    def insert(self, kind: str, body: dict[str, Any], *, parent: str | None = None) -> dict[str, Any]:
        """Insert a row under an id that the database gives; 400 where its number is taken."""
        row_id = str(uuid.uuid4())
        body = body | {"lastModifiedDateTime": _now()}
        text = json.dumps(body)
        try:
            self._database.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?, 1, ?)", (kind, row_id, body.get("number"), parent, text)
            )
        except sqlite3.IntegrityError as taken:
            said = f"The record already exists. Identification fields and values: No.='{body.get('number')}'"
            raise bad_request(said, "Internal_EntityWithSameKeyExists") from taken
        self._note(kind, "created", row_id, body)
        return self.get(kind, row_id)

    def update(self, kind: str, row_id: str, changes: dict[str, Any], *, if_match: str | None) -> dict[str, Any]:
        """Change a row; 400 without an ETag, 409 for one that is no longer current (`*` fits any)."""
        current = self.get(kind, row_id)
        check_etag(current, if_match)
        body = {name: value for name, value in current.items() if not name.startswith("@")} | changes
        del body["id"]
        body |= {"lastModifiedDateTime": _now()}
        self._database.execute(
            "UPDATE rows SET version = version + 1, number = ?, body = ? WHERE kind = ? AND id = ?",
            (body.get("number"), json.dumps(body), kind, row_id),
        )
        self._note(kind, "updated", row_id, body)
        return self.get(kind, row_id)

    def delete(self, kind: str, row_id: str, *, if_match: str | None) -> None:
        """Delete a row; ETags as for a change."""
        current = self.get(kind, row_id)
        check_etag(current, if_match)
        self._database.execute("DELETE FROM rows WHERE kind = ? AND id = ?", (kind, row_id))
        self._note(kind, "deleted", row_id, current | {"lastModifiedDateTime": _now()})

    def effects(self) -> list[dict[str, Any]]:
        """What was really done, oldest first."""
        lines = self._database.execute("SELECT * FROM effects ORDER BY seq")
        return [
            {name: line[name] for name in ("at", "kind", "id", "number")} | {"body": json.loads(line["body"])}
            for line in lines
        ]

    def _note(self, kind: str, what: str, row_id: str, body: dict[str, Any]) -> None:
        if kind == "salesOrderLines":
            self._changes.append(Change("salesOrders", str(body.get("documentId")), "updated", _now()))
        else:
            self._changes.append(Change(kind, row_id, what, str(body.get("lastModifiedDateTime") or _now())))
        name = {"customers": "customer", "salesOrders": "order", "salesOrderLines": "order-line"}.get(kind, kind)
        self._database.execute(
            "INSERT INTO effects (at, kind, id, number, body) VALUES (?, ?, ?, ?, ?)",
            (_now(), f"{name}-{what}", row_id, body.get("number") or self._order_of(body), json.dumps(body)),
        )

    def _order_of(self, line: dict[str, Any]) -> str:
        """The number of a line's order."""
        found = self._database.execute("SELECT number FROM rows WHERE id = ?", (line.get("documentId"),)).fetchone()
        return "" if found is None else str(found["number"])


def check_etag(row: dict[str, Any], if_match: str | None) -> None:
    """400 where no ETag was sent, 409 where it is not the row's."""
    if if_match is None:
        raise bad_request("Could not validate the client concurrency token required.", "BadRequest_InvalidToken")
    if if_match not in {"*", row["@odata.etag"]}:
        said = "Another user has already changed the record."
        raise BusinessCentralError(409, "Request_EntityChanged", said)


def _as_sent(row: sqlite3.Row) -> dict[str, Any]:
    etag = f'W/"{row["id"][:8]};{row["version"]}"'
    return {"@odata.etag": etag, "id": row["id"], **json.loads(row["body"])}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
