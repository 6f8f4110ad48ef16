"""`python -m sandbox.azure.broker`: the broker as a process."""

import argparse
import asyncio
import logging
import sqlite3
import sys
from pathlib import Path

from aiohttp import web

from sandbox.azure.broker.config import ConfigError, load
from sandbox.azure.broker.entities.clock import BrokerClock
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.http.control import Control
from sandbox.azure.broker.links.cbs import AccessKey
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.recovery import recover
from sandbox.azure.broker.server import Server
from sandbox.machine.signals import call_on_stop

log = logging.getLogger("sandbox.azure.broker")

_HOST = "127.0.0.1"
_PORT_TAKEN = 2


def main() -> int:
    """Runs until SIGTERM or SIGINT; the exit status is 0 then, 2 when a port is taken, 1 for a bad file."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        namespace = Namespace(Engine(Store(arguments.db), BrokerClock()))
        for path in arguments.config:
            load(path, namespace)
        namespace.check_forwarding()
        return asyncio.run(_serve(namespace, arguments))
    except (ConfigError, BrokerError, sqlite3.Error) as error:
        log.error("cannot run: %s", error)  # noqa: TRY400 -- one line is enough; a traceback would say no more
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.azure.broker", description="Service Bus and Event Hubs, locally."
    )
    parser.add_argument("--port", type=int, default=5672, help="AMQP, both services (default 5672)")
    parser.add_argument("--http-port", type=int, default=5300, help="health and controls (default 5300)")
    parser.add_argument(
        "--config", type=Path, action="append", default=[], help="a Config.json, either kind; repeatable"
    )
    parser.add_argument("--db", default=":memory:", help="the file that keeps everything (default: memory)")
    parser.add_argument(
        "--key",
        type=AccessKey.parse,
        action="append",
        default=[],
        metavar="NAME=VALUE[;Send][;Listen]",
        help="check tokens against this key (default: every token is taken); repeatable",
    )
    return parser.parse_args()


async def _serve(namespace: Namespace, arguments: argparse.Namespace) -> int:
    stopping = asyncio.Event()
    call_on_stop(stopping.set)
    server = Server(namespace, {key.name: key for key in arguments.key})
    recover(namespace)
    runner = web.AppRunner(Control(server).application(), access_log=None)
    await runner.setup()
    port = arguments.port
    try:
        amqp_port = await server.start(_HOST, port)
        port = arguments.http_port
        await web.TCPSite(runner, _HOST, port).start()
    except OSError as error:
        log.error("cannot listen on port %d: %s", port, error.strerror or error)  # noqa: TRY400 -- as above
        await runner.cleanup()
        await server.stop()
        return _PORT_TAKEN
    log.info("ready: AMQP on %s:%d, HTTP on %s:%d", _HOST, amqp_port, _HOST, arguments.http_port)
    status = await _until_over(server, stopping)
    await runner.cleanup()
    await server.stop()
    return status


async def _until_over(server: Server, stopping: asyncio.Event) -> int:
    stop = asyncio.ensure_future(stopping.wait())
    failed = server.failed or asyncio.get_running_loop().create_future()
    await asyncio.wait({stop, failed}, return_when=asyncio.FIRST_COMPLETED)
    if not failed.done():
        return 0
    log.critical("the broker cannot go on: %s", failed.exception())
    return 1


if __name__ == "__main__":
    sys.exit(main())
