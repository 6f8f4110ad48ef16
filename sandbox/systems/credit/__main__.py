"""`python -m sandbox.systems.credit --port P --db FILE`."""

import sys

from sandbox.systems.command_line import add_api_key, stand_in_parser
from sandbox.systems.credit.api import build_app
from sandbox.systems.credit.bureau import SCHEMA
from sandbox.systems.http_server import serve
from sandbox.systems.rest import open_database


def main() -> int:
    """Serve until stopped."""
    parser = stand_in_parser("credit")
    add_api_key(parser, "credit")
    given = parser.parse_args()
    database = open_database(given.db, SCHEMA)
    app = build_app(database, api_key=given.api_key, client_id=given.client_id, client_secret=given.client_secret)
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
