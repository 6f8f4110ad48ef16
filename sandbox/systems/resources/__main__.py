"""`python -m sandbox.systems.resources --port P --db FILE --answers JSON`."""

import json
import sys

from sandbox.systems.command_line import add_api_key, stand_in_parser
from sandbox.systems.http_server import serve
from sandbox.systems.resources.api import build_app
from sandbox.systems.resources.shelves import SCHEMA
from sandbox.systems.rest import open_database


def main() -> int:
    """Serve until stopped."""
    parser = stand_in_parser("resources")
    add_api_key(parser, "resources")
    parser.add_argument(
        "--answers", type=json.loads, required=True, help="the systems by name, with the kinds of what each answers"
    )
    given = parser.parse_args()
    database = open_database(given.db, SCHEMA)
    app = build_app(
        database,
        given.answers,
        api_key=given.api_key,
        client_id=given.client_id,
        client_secret=given.client_secret,
    )
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
