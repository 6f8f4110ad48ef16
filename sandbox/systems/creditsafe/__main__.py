"""`python -m sandbox.systems.creditsafe --port P --db FILE`."""

import sys

from sandbox.systems.command_line import stand_in_parser
from sandbox.systems.creditsafe import admission, companies
from sandbox.systems.creditsafe.api import build_app
from sandbox.systems.database import open_database
from sandbox.systems.http_server import serve


def main() -> int:
    """Serve until stopped; client id and secret are name and password here."""
    given = stand_in_parser("creditsafe").parse_args()
    database = open_database(given.db, admission.SCHEMA, companies.SCHEMA)
    return serve(build_app(database, username=given.client_id, password=given.client_secret), port=given.port)


if __name__ == "__main__":
    sys.exit(main())
