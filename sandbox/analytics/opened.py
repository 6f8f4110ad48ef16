"""What archive (JSON Lines), lake (Parquet) or Delta table have, as views of DuckDB: `rows`, `events` and `exported`.

`rows` drops what was delivered twice, by the rule of every reader: rows of the same partition and sequence number are
one row. `events` has the newest row of each event, which says how it ended. `exported` has the rows of Dataverse that
an export has, each with its last event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import duckdb

_ARCHIVE: Final = """
SELECT partition, sequenceNumber AS sequence_number, id AS event_id,
    data->>'state' AS state, data->>'reason' AS reason, data->>'table' AS table_name, data->>'recordId' AS record_id,
    data->>'message' AS message,
    TRY_CAST(data->>'attempts' AS BIGINT) AS attempts,
    TRY_CAST(data->>'acceptedTime' AS TIMESTAMPTZ) AS accepted, TRY_CAST(data->>'settledTime' AS TIMESTAMPTZ) AS settled
FROM read_json(?, format = 'newline_delimited', columns = {
    'partition': 'VARCHAR', 'sequenceNumber': 'BIGINT', 'id': 'VARCHAR', 'data': 'JSON'
}, maximum_object_size = 8388608)
WHERE data IS NOT NULL
"""
_TABLE: Final = """
SELECT HubPartition AS partition, SequenceNumber AS sequence_number, EventId AS event_id, State AS state,
    Reason AS reason, TableName AS table_name, RecordId AS record_id, Message AS message,
    Attempts AS attempts, AcceptedTime AS accepted, SettledTime AS settled
FROM """
_LAKE: Final = f"{_TABLE} read_parquet(?, hive_partitioning = false)"
_ROWS: Final = """
CREATE VIEW rows AS SELECT * FROM read
QUALIFY row_number() OVER (PARTITION BY partition, sequence_number ORDER BY settled) = 1
"""
_EVENTS: Final = """
CREATE VIEW events AS SELECT * FROM rows
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY settled DESC, sequence_number DESC) = 1
"""
_EXPORTED: Final = """
CREATE VIEW exported AS
SELECT row.*, last.state, last.reason, last.settled, brought.at AS brought
FROM exported_rows row
LEFT JOIN (
    SELECT * FROM events
    QUALIFY row_number() OVER (PARTITION BY table_name, record_id ORDER BY settled DESC, sequence_number DESC) = 1
) last USING (table_name, record_id)
LEFT JOIN LATERAL (
    SELECT min(settled) AS at FROM events event
    WHERE event.table_name = row.table_name AND event.record_id = row.record_id
        AND event.state IN ('completed', 'superseded', 'resolved')
        AND CASE WHEN row.deleted THEN message = 'Delete' ELSE settled >= coalesce(row.modified, '-infinity') END
) brought ON true
"""
_EXPORTED_ROWS: Final = """
INSERT INTO exported_rows SELECT ?, id, version, deleted, "at"
FROM read_json(?, format = 'newline_delimited', columns = {
    'id': 'VARCHAR', 'version': 'BIGINT', 'deleted': 'BOOLEAN', 'at': 'TIMESTAMPTZ'
})
"""
_READERS: Final = {"*.jsonl.gz": _ARCHIVE, "*.parquet": _LAKE}


@dataclass(frozen=True, slots=True)
class Figures:
    """A table: its title, its columns, and its rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


QUESTIONS: Final = {
    "events by hour": """
        SELECT strftime(date_trunc('hour', settled AT TIME ZONE 'UTC'), '%Y-%m-%d %H:00') AS hour, count(*) AS events,
            count(*) FILTER (state = 'dead-lettered') AS dead_lettered
        FROM events WHERE settled IS NOT NULL GROUP BY hour ORDER BY hour""",
    "latency in seconds, from the intake to the end": """
        SELECT table_name AS "table", count(*) AS events, round(quantile_cont(seconds, 0.5), 3) AS median,
            round(quantile_cont(seconds, 0.95), 3) AS p95, round(max(seconds), 3) AS longest
        FROM (SELECT *, epoch(settled) - epoch(accepted) AS seconds FROM events)
        WHERE seconds IS NOT NULL AND state = 'completed' GROUP BY table_name ORDER BY events DESC, table_name""",
    "failures by cause": """
        SELECT coalesce(reason, 'unknown') AS cause, count(*) AS events
        FROM events WHERE state = 'dead-lettered' GROUP BY cause ORDER BY events DESC, cause""",
}
"""What the command shows, each as a query over `events`."""
QUESTIONS_OF_AN_EXPORT: Final = {
    "rows of Dataverse, by how their last event ended": """
        SELECT table_name AS "table", count(*) AS rows, coalesce(state, 'no event') AS last_event,
            count(*) FILTER (deleted) AS deleted
        FROM exported GROUP BY table_name, state ORDER BY table_name, rows DESC, last_event""",
    "rows whose last change no event has brought": """
        SELECT table_name AS "table", count(*) AS rows, count(*) FILTER (deleted) AS deleted,
            count(*) FILTER (settled IS NULL) AS without_event, min(modified) AS oldest
        FROM exported WHERE brought IS NULL GROUP BY table_name ORDER BY table_name""",
    "latency in seconds from the last change of a row, to the end of its event": """
        SELECT table_name AS "table", count(*) AS rows, round(quantile_cont(seconds, 0.5), 3) AS median,
            round(quantile_cont(seconds, 0.95), 3) AS p95, round(max(seconds), 3) AS longest
        FROM (SELECT *, epoch(brought) - epoch(modified) AS seconds FROM exported WHERE NOT deleted)
        WHERE seconds IS NOT NULL GROUP BY table_name ORDER BY rows DESC, table_name""",
}
"""What it shows besides where there is an export, each as a query over `exported`."""


class NothingFoundError(Exception):
    """There is no file of the archive or of the lake, and no Delta table."""


class Opened:
    """A database in memory; a context manager. `read` makes the table of that name, from so many `files`."""

    def __init__(self, files: int, read: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        self.files = files
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        read(self._connection)
        self._connection.execute(_ROWS)
        self._connection.execute(_EVENTS)

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """All files below a folder, or the Delta table that it is."""
        if (folder / "_delta_log").is_dir():
            return cls.of_delta(str(folder), {})
        found = {pattern: sorted(map(str, folder.rglob(pattern))) for pattern in _READERS}
        pattern = next((it for it, files in found.items() if files), None)
        if pattern is None:
            raise NothingFoundError(f"There is no file *.jsonl.gz or *.parquet below {folder}.")
        files = found[pattern]
        return cls(len(files), lambda it: it.execute(f"CREATE TABLE read AS {_READERS[pattern]}", [files]))

    @classmethod
    def of_delta(cls, uri: str, options: Mapping[str, str]) -> Self:
        """A Delta table: DuckDB would have to fetch an extension for it from the internet, so the library reads it."""
        from deltalake import DeltaTable, QueryBuilder  # noqa: PLC0415 -- slow to import, and for this alone
        from deltalake.exceptions import TableNotFoundError  # noqa: PLC0415 -- as above

        try:
            table = DeltaTable(uri, storage_options=dict(options))
        except TableNotFoundError as error:
            raise NothingFoundError(f"There is no Delta table {uri}.") from error
        found = QueryBuilder().register("delta", table).execute("SELECT * FROM delta").read_all()

        def read(connection: duckdb.DuckDBPyConnection) -> None:
            connection.register("delta", found)
            connection.execute(f"CREATE TABLE read AS {_TABLE} delta")
            connection.unregister("delta")

        return cls(len(table.file_uris()), read)

    def join(self, exported: Mapping[str, Path]) -> None:
        """Make the view `exported` of JSON Lines, of each table a file."""
        self._connection.execute(
            "CREATE TABLE exported_rows (table_name VARCHAR, record_id VARCHAR, version BIGINT, deleted BOOLEAN, "
            "modified TIMESTAMPTZ)"
        )
        for table, path in exported.items():
            self._connection.execute(_EXPORTED_ROWS, [table, str(path)])
        self._connection.execute(_EXPORTED)

    @property
    def tables(self) -> list[str]:
        """The tables of which there are events."""
        found = self._connection.execute(
            "SELECT DISTINCT table_name FROM events WHERE record_id IS NOT NULL ORDER BY 1"
        )
        return [str(row[0]) for row in found.fetchall()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, title: str, query: str) -> Figures:
        """The answer to a query over the views; raises `duckdb.Error`."""
        answer = self._connection.execute(query)
        return Figures(title, [it[0] for it in answer.description or ()], answer.fetchall())
