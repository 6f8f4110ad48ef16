"""The file in which a stand-in keeps what has to survive a crash."""

import sqlite3
from pathlib import Path


def open_database(path: Path, *schemas: str) -> sqlite3.Connection:
    """A database that survives the process being killed; every statement outside `with` is its own transaction."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.row_factory = sqlite3.Row
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {' '.join(schemas)}")
    return database
