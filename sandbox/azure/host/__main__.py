"""`python -m sandbox.azure.host --app DIR --port P`: the host as a process; `--help` lists the options."""

import argparse
import asyncio
import logging
import os
import socket
import sys
from pathlib import Path

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.host import Host
from sandbox.azure.host.settings import AppSettings


def main() -> int:
    """Run one app until SIGTERM; exit code 0 after an orderly stop, 1 when the host refuses to start."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.azure.host", description="A local Azure Functions host.")
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, required=True, help="HTTP port on 127.0.0.1")
    parser.add_argument("--only", help="functions to run: names, or the groups http and events, separated by commas")
    parser.add_argument("--settings", type=Path, help="a local.settings.json; the environment wins over it")
    parser.add_argument(
        "--name", default=socket.gethostname(), help="name of this instance: owner of partitions, leases"
    )
    parser.add_argument("--grace", type=float, default=10.0, help="seconds that running functions get to end (10)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        settings = AppSettings.load(arguments.settings)
        host = Host(arguments.app.resolve(), settings, arguments.name, arguments.only)
        asyncio.run(host.run(arguments.port, arguments.grace))
    except HostStartError as error:
        sys.stderr.write(f"The host does not start: {error}\n")  # for people: with its line breaks
        return 1
    logging.shutdown()
    os._exit(0)  # not through the interpreter's own end, which would wait for threads that functions still keep busy


if __name__ == "__main__":
    sys.exit(main())
