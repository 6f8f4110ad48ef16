"""`python -m sandbox.azure.relay --port P --hybrid-connection NAME --key NAME=VALUE;Send;Listen`."""

import argparse
import sys

from aiohttp import web

from sandbox.azure.relay.front import Front
from sandbox.azure.relay.relay import Relay
from sandbox.azure.shared_access import AccessKey

_HOST = "127.0.0.1"


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="sandbox.azure.relay")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--hybrid-connection", action="append", required=True, metavar="NAME")
    parser.add_argument("--key", action="append", required=True, type=AccessKey.parse, metavar="NAME=VALUE[;RIGHT]")
    parser.add_argument("--answer-seconds", type=float, default=60.0, help="how long a listener may take to answer")
    parser.add_argument("--idle-seconds", type=float, default=240.0, help="how long a listener may say nothing")
    given = parser.parse_args()
    authority = f"{_HOST}:{given.port}"
    relay = Relay(
        given.hybrid_connection,
        {key.name: key for key in given.key},
        address=lambda path: f"ws://{authority}/{path}",
        answer_seconds=given.answer_seconds,
        idle_seconds=given.idle_seconds,
    )
    app = Front(relay, authority).app()
    web.run_app(app, host=_HOST, port=given.port, print=None, access_log=None, shutdown_timeout=1.0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
