"""`python -m sandbox.systems.business_central --port P --db FILE`."""

import sys

from sandbox.systems import tokens
from sandbox.systems.business_central import subscriptions
from sandbox.systems.business_central.api import build_app
from sandbox.systems.business_central.rows import SCHEMA
from sandbox.systems.command_line import stand_in_parser
from sandbox.systems.database import open_database
from sandbox.systems.http_server import serve


def main() -> int:
    """Serve until stopped."""
    given = stand_in_parser("business_central").parse_args()
    database = open_database(given.db, tokens.SCHEMA, SCHEMA, subscriptions.SCHEMA)
    app = build_app(database, client_id=given.client_id, client_secret=given.client_secret)
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
