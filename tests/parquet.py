"""Reads Parquet as somebody else does: with DuckDB."""

import tempfile
from typing import Any

import duckdb


def read_parquet(content: bytes) -> list[dict[str, Any]]:
    """The rows of a file, in its order."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        file.write(content)
        file.flush()
        table = connection.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [file.name])
        names = [it[0] for it in table.description or ()]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]
