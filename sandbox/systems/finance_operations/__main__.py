"""`python -m sandbox.systems.finance_operations --port P --db FILE`."""

import sys

from sandbox.systems import tokens
from sandbox.systems.command_line import stand_in_parser
from sandbox.systems.database import open_database
from sandbox.systems.finance_operations.api import build_app
from sandbox.systems.finance_operations.business_events import BusinessEvents
from sandbox.systems.finance_operations.rows import SCHEMA
from sandbox.systems.http_server import serve
from sandbox.systems.outbox import Outbox


def main() -> int:
    """Serve until stopped."""
    parser = stand_in_parser("finance_operations")
    parser.add_argument("--events-url", default="", help="where business events go; absent: nowhere")
    parser.add_argument("--events-key", default="")
    given = parser.parse_args()
    database = open_database(given.db, tokens.SCHEMA, SCHEMA)
    events = BusinessEvents(Outbox(given.events_url, given.events_key))
    app = build_app(database, events, client_id=given.client_id, client_secret=given.client_secret)
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
