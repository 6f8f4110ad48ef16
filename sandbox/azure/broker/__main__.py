"""`python -m sandbox.azure.broker`: the broker as a process."""

import argparse
import asyncio
import logging
import sqlite3
import sys
from pathlib import Path

from aiohttp import web

from sandbox.azure.amqp.connection import IDLE_TIME_OUT_MS
from sandbox.azure.broker.config import ConfigError, load
from sandbox.azure.broker.entities.clock import BrokerClock
from sandbox.azure.broker.entities.engine import Engine
from sandbox.azure.broker.entities.store import Store
from sandbox.azure.broker.errors import BrokerError
from sandbox.azure.broker.http.control import Control
from sandbox.azure.broker.links.cbs import Known
from sandbox.azure.broker.namespace import Namespace
from sandbox.azure.broker.recovery import recover
from sandbox.azure.broker.secure import SecurePort
from sandbox.azure.broker.server import Server
from sandbox.azure.broker.websockets import WebSockets
from sandbox.azure.entra_tokens import Application
from sandbox.azure.shared_access import AccessKey
from sandbox.machine.certificates import server_context
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
        "--tls-port", type=int, help="AMQP, AMQP over WebSockets and HTTPS, with TLS (default: none); needs --ca-dir"
    )
    parser.add_argument("--ca-dir", type=Path, help="directory of ca.pem, server.pem, server.key (made if not there)")
    parser.add_argument(
        "--idle-timeout",
        type=float,
        default=IDLE_TIME_OUT_MS / 1000,
        metavar="SECONDS",
        help="after so long without a frame a client counts as dead (default 240)",
    )
    parser.add_argument(
        "--key",
        type=AccessKey.parse,
        action="append",
        default=[],
        metavar="NAME=VALUE[;Send][;Listen][;Manage]",
        help="check tokens against this key (default: every token is taken); repeatable",
    )
    parser.add_argument(
        "--application",
        type=Application.parse,
        action="append",
        default=[],
        metavar="CLIENT_ID[;Send][;Listen][;Manage]",
        help="where there are keys, also take tokens of this application; repeatable",
    )
    arguments = parser.parse_args()
    if arguments.tls_port is not None and arguments.ca_dir is None:
        parser.error("--tls-port needs --ca-dir")
    return arguments


async def _serve(namespace: Namespace, arguments: argparse.Namespace) -> int:
    stopping = asyncio.Event()
    call_on_stop(stopping.set)
    known = Known({it.name: it for it in arguments.key}, {it.client_id: it for it in arguments.application})
    server = Server(namespace, known, idle_time_out=int(arguments.idle_timeout * 1000))
    recover(namespace)
    runner = web.AppRunner(_application(server), access_log=None, auto_decompress=False)
    await runner.setup()
    port, secure = arguments.port, None
    try:
        amqp_port = await server.start(_HOST, port)
        port = arguments.http_port
        await web.TCPSite(runner, _HOST, port).start()
        if arguments.tls_port is not None:
            port = arguments.tls_port
            secure = SecurePort(server, runner, server_context(arguments.ca_dir))
            await secure.start(_HOST, port)
    except OSError as error:
        log.error("cannot listen on port %d: %s", port, error.strerror or error)  # noqa: TRY400 -- as above
        await runner.cleanup()
        await server.stop()
        return _PORT_TAKEN
    log.info("ready: AMQP on %s:%d, HTTP on %s:%d", _HOST, amqp_port, _HOST, arguments.http_port)
    status = await _until_over(server, stopping)
    if secure is not None:
        secure.stop()
    await runner.cleanup()
    await server.stop()
    return status


def _application(server: Server) -> web.Application:
    application = web.Application()
    application.add_routes([*WebSockets(server).routes(), *Control(server).routes()])
    return application


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
