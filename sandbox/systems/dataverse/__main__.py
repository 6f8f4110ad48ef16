"""`python -m sandbox.systems.dataverse --port P --state DIR [--ca-dir DIR]`."""

import argparse
import sys
from pathlib import Path

from sandbox.machine.certificates import server_context
from sandbox.repository import REPOSITORY
from sandbox.systems.dataverse.app import Options, build_app
from sandbox.systems.http_server import serve

SCHEMA = REPOSITORY / "docs" / "reference" / "dataverse" / "schema.json"


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.systems.dataverse", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="directory of the database")
    parser.add_argument("--ca-dir", type=Path, help="directory of ca.pem, server.pem, server.key (default: --state)")
    parser.add_argument("--schema", type=Path, default=SCHEMA)
    parser.add_argument("--webhook-timeout", type=float, default=60.0, help="seconds (Dataverse: 60)")
    parser.add_argument("--webhook-retry-delay", type=float, default=1.0, help="seconds before the one further attempt")
    parser.add_argument("--unprepared", action="store_true", help="start without our own columns, keys and user")
    given = parser.parse_args()
    certificates = given.ca_dir or given.state
    tls = server_context(certificates)
    options = Options(
        port=given.port,
        state=given.state,
        schema=given.schema,
        ca_file=certificates / "ca.pem",
        webhook_timeout=given.webhook_timeout,
        webhook_retry_delay=given.webhook_retry_delay,
        unprepared=given.unprepared,
    )
    return serve(build_app(options), port=given.port, tls=tls)


if __name__ == "__main__":
    sys.exit(main())
