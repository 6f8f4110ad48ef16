"""Spans and metrics as they came, and the questions that are asked about them."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from sandbox.systems.collector.otlp import Row

EVENT = "integration.event.id"
SCHEMA = """
CREATE TABLE IF NOT EXISTS spans (trace TEXT, span TEXT, event TEXT, row TEXT, PRIMARY KEY (trace, span));
CREATE INDEX IF NOT EXISTS spans_of_events ON spans (event);
CREATE TABLE IF NOT EXISTS metrics (seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, row TEXT);
"""
_KEPT_METRICS = 20_000


class Store:
    """One database; `twice` are the ids of spans that came more than once."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.twice: list[str] = []

    def add_spans(self, rows: Iterable[Row]) -> None:
        """Keep these spans."""
        with self._database:
            for row in rows:
                event = row["attributes"].get(EVENT)
                values = (row["traceId"], row["spanId"], event, json.dumps(row))
                kept = self._database.execute("INSERT OR IGNORE INTO spans VALUES (?, ?, ?, ?)", values).rowcount
                if not kept:
                    self.twice.append(row["spanId"])

    def add_metrics(self, rows: Iterable[Row]) -> None:
        """Keep these data points; the oldest are forgotten."""
        with self._database:
            self._database.executemany(
                "INSERT INTO metrics (name, row) VALUES (?, ?)", [(row["name"], json.dumps(row)) for row in rows]
            )
            self._database.execute(
                "DELETE FROM metrics WHERE seq <= (SELECT max(seq) FROM metrics) - ?", (_KEPT_METRICS,)
            )

    def trace_of(self, event_id: str) -> list[Row]:
        """All spans of the traces that an event is in, oldest first."""
        return self._read("SELECT row FROM spans WHERE trace IN (SELECT trace FROM spans WHERE event = ?)", event_id)

    def spans(self) -> list[Row]:
        """All spans, oldest first."""
        return self._read("SELECT row FROM spans")

    def metrics(self) -> list[Row]:
        """All data points that are kept, oldest first."""
        return [json.loads(row) for (row,) in self._database.execute("SELECT row FROM metrics ORDER BY seq")]

    def _read(self, query: str, *values: Any) -> list[Row]:
        rows = [json.loads(row) for (row,) in self._database.execute(query, values)]
        return sorted(rows, key=lambda row: (row["started"], row["ended"]))
