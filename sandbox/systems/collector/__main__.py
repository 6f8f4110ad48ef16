"""`python -m sandbox.systems.collector --port P --db FILE`."""

import argparse
import sys
from pathlib import Path

from sandbox.systems.collector.api import build_app
from sandbox.systems.collector.store import SCHEMA, Store
from sandbox.systems.database import open_database
from sandbox.systems.http_server import serve


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.systems.collector")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db", type=Path, required=True, help="the file of the database")
    given = parser.parse_args()
    return serve(build_app(Store(open_database(given.db, SCHEMA))), port=given.port)


if __name__ == "__main__":
    sys.exit(main())
