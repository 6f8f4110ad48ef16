"""`python -m sandbox.systems.finance_operations --port P --db FILE`."""

import sys

from sandbox.systems import tokens
from sandbox.systems.command_line import stand_in_parser
from sandbox.systems.database import open_database
from sandbox.systems.finance_operations.api import build_app
from sandbox.systems.finance_operations.business_events import BusinessEvents, Endpoint
from sandbox.systems.finance_operations.endpoints import EventGridEndpoint, QueueEndpoint
from sandbox.systems.finance_operations.rows import SCHEMA
from sandbox.systems.http_server import serve
from sandbox.systems.outbox import Outbox


def main() -> int:
    """Serve until stopped."""
    parser = stand_in_parser("finance_operations")
    parser.add_argument("--events-url", default="", help="where business events go over HTTPS; absent: nowhere")
    parser.add_argument("--events-key", default="")
    parser.add_argument("--events-service-bus", default="", help="connection string, for an endpoint that is a queue")
    parser.add_argument("--events-queue", default="", help="the queue there")
    parser.add_argument("--event-grid-url", default="", help="where Event Grid delivers; its key is in the address")
    given = parser.parse_args()
    database = open_database(given.db, tokens.SCHEMA, SCHEMA)
    endpoints: dict[str, Endpoint] = {"https": Outbox(given.events_url, given.events_key)}
    if given.events_queue:
        endpoints["service-bus"] = QueueEndpoint(given.events_service_bus, given.events_queue)
    if given.event_grid_url:
        endpoints["event-grid"] = EventGridEndpoint(given.event_grid_url)
    events = BusinessEvents(endpoints)
    app = build_app(database, events, client_id=given.client_id, client_secret=given.client_secret)
    return serve(app, port=given.port)


if __name__ == "__main__":
    sys.exit(main())
