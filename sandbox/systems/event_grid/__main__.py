"""`python -m sandbox.systems.event_grid --port P`."""

import argparse
import sys

from sandbox.systems.event_grid.api import KEY, build_app
from sandbox.systems.http_server import serve


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.systems.event_grid")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default=KEY, help="the access key of the topics")
    given = parser.parse_args()
    return serve(build_app(given.key), port=given.port)


if __name__ == "__main__":
    sys.exit(main())
