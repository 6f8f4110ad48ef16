"""What such a system keeps: a resource at each path, brought to a state, with what the flow reads of its answer."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sandbox.systems.rest import Answer, Refused, now

Kinds = Mapping[str, Mapping[str, Any]]
"""Names of what is answered beside what was sent, each with its `kind`, and the `words` of a choice."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    system TEXT, path TEXT, version INTEGER, body TEXT NOT NULL, PRIMARY KEY (system, path));
CREATE TABLE IF NOT EXISTS effects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, system TEXT, kind TEXT, path TEXT, key TEXT, body TEXT);
"""


class Shelves:
    """Resources by system and path; callers hold the transaction of a write, except that of `delete`."""

    def __init__(self, database: sqlite3.Connection, answers: Mapping[str, Kinds]) -> None:
        self._database = database
        self._answers = answers

    def put(self, system: str, path: str, body: dict[str, Any], key: str, *, force: bool = False) -> Answer:
        """Create the resource or bring it to this state; 409 for an older `sourceVersion`, unless forced."""
        found = self._find(system, path)
        version = body.get("sourceVersion", 0)
        if found is not None and not force and isinstance(version, int) and version < found["version"]:
            raise Refused(409, "stale-version", "A newer version is stored.")
        stored = {} if found is None else json.loads(found["body"])
        whole = self._promised(system) | stored | body | {"id": path.rpartition("/")[2]}
        self._database.execute(
            "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)",
            (system, path, version if isinstance(version, int) else 0, json.dumps(whole)),
        )
        self._note(system, "created" if found is None else "updated", path, key, body)
        return (201 if found is None else 200), whole

    def post(self, system: str, path: str, body: dict[str, Any], key: str) -> Answer:
        """A resource under an id of the system's own."""
        return self.put(system, f"{path}/{uuid4()}", body, key)

    def get(self, system: str, path: str) -> dict[str, Any] | None:
        """The resource; None where there is none."""
        found = self._find(system, path)
        content: dict[str, Any] | None = None if found is None else json.loads(found["body"])
        return content

    def delete(self, system: str, path: str) -> bool:
        """Remove it; whether there was one."""
        if self._find(system, path) is None:
            return False
        self._database.execute("DELETE FROM resources WHERE system = ? AND path = ?", (system, path))
        self._note(system, "deleted", path, "", {})
        return True

    def effects(self, system: str | None) -> list[dict[str, Any]]:
        """What was really done, oldest first; by one system, or by all."""
        lines = self._database.execute("SELECT * FROM effects WHERE ? IN ('', system) ORDER BY seq", (system or "",))
        return [
            {name: line[name] for name in ("at", "system", "kind", "path", "key")} | {"body": json.loads(line["body"])}
            for line in lines
        ]

    def _find(self, system: str, path: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._database.execute(
            "SELECT * FROM resources WHERE system = ? AND path = ?", (system, path)
        ).fetchone()
        return row

    def _note(self, system: str, kind: str, path: str, key: str, body: dict[str, Any]) -> None:
        self._database.execute(
            "INSERT INTO effects (at, system, kind, path, key, body) VALUES (?, ?, ?, ?, ?, ?)",
            (now(), system, kind, path, key, json.dumps(body)),
        )

    def _promised(self, system: str) -> dict[str, Any]:
        """Made-up values for what the flows read of an answer; numbers are given once."""
        number = self._database.execute("SELECT COUNT(*) + 1 FROM effects WHERE kind = 'created'").fetchone()[0]
        made_up = {
            "text": f"{system.upper()}-{number:06d}",
            "whole": number,
            "amount": "0.00",
            "moment": now(),
        }
        return {name: made_up.get(it["kind"]) or next(iter(it["words"])) for name, it in self._answers[system].items()}
