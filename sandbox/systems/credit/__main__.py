"""`python -m sandbox.systems.credit --port P --db FILE`."""

import argparse
import sys
from pathlib import Path

from sandbox.systems.credit.api import build_app
from sandbox.systems.credit.bureau import SCHEMA
from sandbox.systems.http_server import serve
from sandbox.systems.rest import open_database


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.systems.credit", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--api-key", default="credit-sandbox-key")
    parser.add_argument("--client-id", default="credit-sandbox-client")
    parser.add_argument("--client-secret", default="credit-sandbox-secret")
    given = parser.parse_args()
    database = open_database(given.db, SCHEMA)
    app = build_app(database, api_key=given.api_key, client_id=given.client_id, client_secret=given.client_secret)
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
