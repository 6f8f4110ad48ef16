"""Several worker processes in one host (FUNCTIONS_WORKER_PROCESS_COUNT), which take invocations in turn.

Sources: azure-functions-host RpcFunctionInvocationDispatcher.cs (restarts), WorkerConfigFactory.cs (the count),
RpcFunctionInvocationDispatcherLoadBalancer.cs (round robin).
"""

import asyncio
import contextlib
import logging
import os
import secrets
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.azure.host.errors import HostStartError
from sandbox.azure.host.functions import Function
from sandbox.azure.host.workers.channel import SECRET, SECRET_LENGTH, Channel, Indexed, MeasuresWanted, Refused
from sandbox.azure.host.workers.invocations import WORKER_EXIT_CODE, Invocation, Outcome

log = logging.getLogger(__name__)

COUNT_SETTING = "FUNCTIONS_WORKER_PROCESS_COUNT"
_MOST = 10
_DEATHS_PER_WORKER = 3  # after so many restarts the host ends
_CLOSE_SECONDS = 2.0


def process_count(text: str | None) -> int:
    """How many worker processes the setting asks for: 1 to 10; a smaller number counts as 1."""
    if text is None:
        return 1
    try:
        count = int(text)
    except ValueError as error:
        raise HostStartError(f"{COUNT_SETTING} must be a number from 1 to {_MOST}, not '{text}'.") from error
    if count > _MOST:
        raise HostStartError(f"{COUNT_SETTING} is {count}; a host has at most {_MOST} worker processes.")
    return max(count, 1)


class RemoteWorker:
    """A worker process, as the host sees it."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel, functions: list[Function]) -> None:
        self.process = process
        self.functions = functions
        self.timed_out = False
        self._channel = channel
        self._running: dict[str, asyncio.Future[Outcome]] = {}
        self._measures: deque[asyncio.Future[Mapping[str, Any]]] = deque()

    async def run(self, invocation: Invocation) -> Outcome:
        """Run one function there."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._running[invocation.invocation_id] = future
        self._channel.send(invocation)
        try:
            return await future
        finally:
            del self._running[invocation.invocation_id]

    def runs(self, invocation_id: str) -> bool:
        """Whether an invocation runs there."""
        return invocation_id in self._running

    async def measures(self) -> Mapping[str, Any]:
        """Its counters; empty when it has just ended."""
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._measures.append(future)
        self._channel.send(MeasuresWanted())
        return await future

    async def listen(self) -> int:
        """Pass on what it sends until it has ended; invocations that still run there fail. Returns the exit status."""
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Outcome):
                future = self._running.get(message.invocation_id)
                if future is not None and not future.done():
                    future.set_result(message)
            else:
                self._measures.popleft().set_result(message)
        status = await self.process.wait()
        for invocation_id, future in self._running.items():
            if not future.done():
                future.set_result(Outcome(invocation_id, f"The worker process ended with status {status}"))
        for waiting in self._measures:
            waiting.set_result({})
        return status

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def close(self) -> None:
        """Let it end; kill it when it does not."""
        self._channel.close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.process.wait()
        except TimeoutError:
            self.kill()


class WorkerProcesses:
    """`count` processes that each run the whole app; one that dies fails what runs there and is replaced."""

    def __init__(self, app: Path, count: int) -> None:
        self._app = app
        self._count = count
        self._server: asyncio.Server | None = None
        self._expected: dict[str, asyncio.Future[Channel]] = {}
        self._ready: deque[RemoteWorker] = deque()
        self._some_ready = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._deaths = 0
        self._closing = False

    async def index(self) -> list[Function]:
        """Start all processes; the app's functions by name. Raises `HostStartError`."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        results = await asyncio.gather(*(self._start() for _ in range(self._count)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                await self.close()
                raise result
        log.info("%d worker processes are ready", self._count)
        return self._ready[0].functions

    async def run(self, invocation: Invocation) -> Outcome:
        """Run one function on the worker whose turn it is; waits while none is ready."""
        await self._some_ready.wait()
        worker = self._ready[0]
        self._ready.rotate(-1)
        return await worker.run(invocation)

    def time_out(self, invocation_id: str) -> None:
        """Kill the worker that runs this invocation; the others go on."""
        for worker in self._ready:
            if worker.runs(invocation_id):
                worker.timed_out = True
                worker.kill()

    def current(self) -> tuple[str, str] | None:
        """No function runs in this process."""
        return None

    async def measures(self) -> list[Mapping[str, Any]]:
        """The counters of each worker that is ready."""
        return await asyncio.gather(*(worker.measures() for worker in self._ready))

    async def close(self) -> None:
        """End all worker processes."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(worker.close() for worker in self._ready))

    async def _start(self) -> None:
        """Start one process and wait until it is ready; raises `HostStartError` when it cannot load the app."""
        secret = secrets.token_hex(SECRET_LENGTH // 2)
        connected = self._expected[secret] = asyncio.get_running_loop().create_future()
        port = self._server.sockets[0].getsockname()[1] if self._server is not None else 0
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sandbox.azure.host.workers.worker", "--app", str(self._app), "--port", str(port)),
            env={**os.environ, SECRET: secret},
            stdin=asyncio.subprocess.DEVNULL,
        )
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
        del self._expected[secret]
        channel = connected.result() if connected.done() else None
        answer = await channel.receive() if channel is not None else None
        if channel is None or not isinstance(answer, Indexed):
            if channel is not None:
                channel.close()
            status = await ended
            reason = answer.reason if isinstance(answer, Refused) else f"It ended with status {status}."
            raise HostStartError(f"A worker process cannot run the app. {reason}")
        worker = RemoteWorker(process, channel, answer.functions)
        self._ready.append(worker)
        self._some_ready.set()
        self._spawn(worker)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            secret = (await reader.readexactly(SECRET_LENGTH)).decode(errors="replace")
        except (asyncio.IncompleteReadError, ConnectionError):
            secret = ""
        expected = self._expected.get(secret)
        if expected is None or expected.done():
            writer.close()
        else:
            expected.set_result(Channel(reader, writer))

    def _spawn(self, worker: RemoteWorker) -> None:
        task = asyncio.get_running_loop().create_task(self._keep(worker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, worker: RemoteWorker) -> None:
        """Wait until a worker ends, then start another in its place."""
        status = await worker.listen()
        self._ready.remove(worker)
        if not self._ready:
            self._some_ready.clear()
        if self._closing:
            return
        log.error("Worker process %d ended with status %d; starting another", worker.process.pid, status)
        self._deaths += not worker.timed_out
        while True:
            if self._deaths > _DEATHS_PER_WORKER * self._count:
                log.critical("Worker processes keep ending: the host ends (exit code %d)", WORKER_EXIT_CODE)
                logging.shutdown()
                os._exit(WORKER_EXIT_CODE)
            try:
                await self._start()
            except HostStartError as error:
                log.error("%s", error)  # noqa: TRY400 -- the message is meant for people
                self._deaths += 1
            else:
                return
