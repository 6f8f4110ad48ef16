"""What a call through the transport costs: `python -m tests.benchmarks.transport` (about half a minute).

CPU time of the calling process per PUT of a small JSON body, with the headers of an event, against a server in a
process of its own that answers at once: over bare aiohttp, through the transport, and through the transport with the
protection around it. Medians of rounds that take turns, so that a machine which slows down slows down all of them.
"""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import aiohttp

from integration.clock import SystemClock
from integration.protection import Instances, MemoryState, Protected, Switch
from integration.systems.rest import rest_failure
from integration.transport import ApiKey, CallContext, Host, Request, Transport

CALLS = 3_000
ROUNDS = 5
CONCURRENT = (1, 32)
BODY = b'{"name":"Contoso Ltd","kind":"organisation","status":"active","sourceVersion":10,"address":{"city":"Graz"}}'
ANSWER = b'{"id":"1","customerNumber":"C-000001","status":"active","sourceVersion":10}'
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "202611201905-" + "0" * 32 + ":erp_customer:1"}
CONTEXT = CallContext("11111111-2222-3333-4444-555555555555", f"00-{'a' * 32}-{'b' * 16}-01")
KEY = "a-key-of-some-length"

Call = Callable[[], Awaitable[None]]


class _Answering(asyncio.Protocol):
    """Answers every request with the same few bytes, without a framework that would take the time measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._left = b""

    def data_received(self, data: bytes) -> None:
        self._left += data
        while len(self._left.partition(b"\r\n\r\n")[2]) >= len(BODY):
            self._left = self._left.partition(b"\r\n\r\n")[2][len(BODY) :]
            head = (
                "Content-Type: application/json; charset=utf-8\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: x\r\n"
            )
            self._transport.write(f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(ANSWER)}\r\n\r\n".encode() + ANSWER)


def serve(told: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def milliseconds(call: Call, concurrent: int) -> float:
    """CPU time per call."""

    async def several(count: int) -> None:
        for _ in range(count):
            await call()

    await several(50)
    started = time.process_time()
    await asyncio.gather(*[several(CALLS // concurrent) for _ in range(concurrent)])
    return (time.process_time() - started) * 1000 / (CALLS // concurrent * concurrent)


async def measure(port: int) -> None:
    url = f"http://127.0.0.1:{port}/api/customers/11111111-2222-3333-4444-555555555555"
    headers = HEADERS | CONTEXT.headers() | {"X-Api-Key": KEY, "User-Agent": "x", "Accept": "application/json"}
    transport, clock = Transport([Host(url)], clock=SystemClock()), SystemClock()
    request, key = Request("erp", "put customer", "PUT", url, HEADERS, BODY), ApiKey(KEY)
    shared = MemoryState()
    protected = Protected(
        transport,
        Switch("erp", shared, clock, full=64),
        concurrency=64,
        failure_of=rest_failure,
        clock=clock,
        requests=1_000_000,
        instances=Instances(shared, clock),
    )
    context = CallContext(CONTEXT.correlation_id, CONTEXT.traceparent, deadline=clock.monotonic() + 3600)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def bare() -> None:
            async with session.put(url, data=BODY, headers=headers) as answer:
                await answer.read()

        async def ours() -> None:
            await transport.send(request, authorizer=key, context=context)

        async def safe() -> None:
            await protected.send(request, authorizer=key, context=context)

        for concurrent in CONCURRENT:
            rounds = [[await milliseconds(call, concurrent) for call in (bare, ours, safe)] for _ in range(ROUNDS)]
            without, with_it, and_safe = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(  # noqa: T201 -- that is what it is for
                f"{concurrent:3} at once: aiohttp {without:.3f} ms, transport {with_it:.3f} ms, "
                f"protected {and_safe:.3f} ms of CPU per call"
            )
    await transport.aclose()


def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    asyncio.run(measure(ours.recv()))
    server.terminate()


if __name__ == "__main__":
    main()
