"""`python -m sandbox.systems.logs_ingestion --port P`."""

import argparse
import sys

from sandbox.systems.http_server import serve
from sandbox.systems.logs_ingestion.api import CLIENT_ID, CLIENT_SECRET, RULE, STREAM, build_app


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.systems.logs_ingestion")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rule", default=RULE, help="immutable id of the data collection rule")
    parser.add_argument("--stream", default=STREAM, help="the stream that the rule declares")
    parser.add_argument("--client-id", default=CLIENT_ID)
    parser.add_argument("--client-secret", default=CLIENT_SECRET)
    given = parser.parse_args()
    return serve(
        build_app(given.rule, given.stream, client_id=given.client_id, client_secret=given.client_secret),
        port=given.port,
    )


if __name__ == "__main__":
    sys.exit(main())
