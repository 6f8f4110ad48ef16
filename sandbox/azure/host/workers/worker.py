"""`python -m sandbox.azure.host.workers.worker`: one of several worker processes of a host.

The host starts it, and it ends with the host.

It connects to the host, as a worker does over gRPC, indexes the app and runs what it is sent.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from sandbox.azure.host import logs
from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.host_json import HostJson
from sandbox.azure.host.settings import AppSettings
from sandbox.azure.host.stats import HostStats
from sandbox.azure.host.workers.channel import SECRET, Channel, Indexed, Refused
from sandbox.azure.host.workers.invocations import Invocation
from sandbox.azure.host.workers.runtime import Runtime


class WorkerProcess:
    """This process."""

    def __init__(self, app: Path, channel: Channel, *, measure: bool) -> None:
        self._channel = channel
        self._stats = HostStats(measure=measure)
        self._runtime = Runtime(app, self._stats)
        self._tasks: set[asyncio.Task[None]] = set()
        logs.configure(HostJson.load(app / "host.json").log_levels, self._runtime.current)

    async def serve(self) -> None:
        """Index the app, then run what it is sent until the host has ended."""
        loop = asyncio.get_running_loop()
        if self._stats.measure:
            self._stats.measure_tasks(loop)
        try:
            self._channel.send(Indexed(await self._runtime.index()))
        except HostStartError as error:
            self._channel.send(Refused(str(error)))
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Invocation):
                task = loop.create_task(self._run(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._channel.send(self._stats.snapshot())

    async def _run(self, invocation: Invocation) -> None:
        self._channel.send(await self._runtime.run(invocation))


async def _serve(app: Path, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(os.environ.pop(SECRET).encode())
    measure = AppSettings.load(None).is_true("SANDBOX_HOST_STATS")
    await WorkerProcess(app, Channel(reader, writer), measure=measure).serve()


def main() -> None:
    """Run until the host closes the connection: signals are for the host, which lets functions end first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="python -m sandbox.azure.host.workers.worker", description=__doc__)
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(_serve(arguments.app, arguments.port))
    logging.shutdown()
    os._exit(0)  # not through the interpreter's own end, which would wait for threads that functions still keep busy


if __name__ == "__main__":
    main()
