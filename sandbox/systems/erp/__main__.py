"""`python -m sandbox.systems.erp --port P --db FILE`."""

import sys

from sandbox.systems.command_line import add_api_key, stand_in_parser
from sandbox.systems.erp.api import build_app
from sandbox.systems.erp.books import SCHEMA
from sandbox.systems.erp.events import Events
from sandbox.systems.http_server import serve
from sandbox.systems.outbox import Outbox
from sandbox.systems.rest import open_database


def main() -> int:
    """Serve until stopped."""
    parser = stand_in_parser("erp")
    add_api_key(parser, "erp")
    parser.add_argument("--events-url", default="", help="where events go, the event's name behind it; absent: nowhere")
    parser.add_argument("--events-key", default="")
    given = parser.parse_args()
    database = open_database(given.db, SCHEMA)
    app = build_app(
        database,
        api_key=given.api_key,
        client_id=given.client_id,
        client_secret=given.client_secret,
        events=Events(Outbox(given.events_url, given.events_key)),
    )
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
