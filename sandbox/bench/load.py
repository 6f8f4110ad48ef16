"""`python -m sandbox.bench.load`: HTTP load from a process of its own.

Reads a `Job` as a line of JSON, opens its connections, writes a line, waits for one, works, writes a `Result` as JSON.

Without a rate the loop is closed: each connection sends its next request once the last one is answered. With a rate it
is open: a request is due at its time whether others are answered or not, and its latency counts from when it was due.
It speaks just enough HTTP/1.1 to cost little compared with what it measures, and it reports what it cost.
"""

import asyncio
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.repository import REPOSITORY

_REQUEST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `path` is quoted and has its query, `headers` lack only Host and Content-Length."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Job:
    """Requests for one server. `rate` is in requests per second; None: as fast as `connections` get answers."""

    url: str
    calls: Sequence[Call]
    connections: int
    rate: float | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: when its request was sent or due (seconds since 1970), and how long it took from there."""

    status: int
    at: float
    seconds: float
    body: str


@dataclass(frozen=True, slots=True)
class Result:
    """The replies in the order of the calls, seconds from the first request to the last answer, CPU seconds spent."""

    replies: list[Reply]
    seconds: float
    cpu_seconds: float


def run(job: Job, ready: Callable[[], None] = lambda: None) -> Result:
    """Do the job in a process of its own; `ready` is called when that has started up and is about to send.

    Raises `subprocess.CalledProcessError` when it fails.
    """
    command = [sys.executable, "-m", "sandbox.bench.load"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 -- this very module
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process with pipes has none")
        process.stdin.write(json.dumps(asdict(job)).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        ready()
        result, _ = process.communicate(b"\n")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    answer: dict[str, Any] = json.loads(result)
    return Result([Reply(**reply) for reply in answer["replies"]], answer["seconds"], answer["cpu_seconds"])


class _Connection:
    """A kept connection to one server, used by one task."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port
        self._tls = tls
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises `OSError` or `EOFError` when the connection fails."""
        reader = self._reader
        self._writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return status, await reader.readexactly(int(length or 0))

    def close(self) -> None:
        self._writer.close()


async def _do(job: Job) -> Result:
    tls = ssl.create_default_context(cafile=job.ca_file) if job.ca_file else None
    connections = [_Connection(job.url, tls) for _ in range(job.connections)]
    await asyncio.gather(*(connection.open() for connection in connections))
    pending = enumerate([_bytes(job.url, call) for call in job.calls])
    replies: dict[int, Reply] = {}
    print(flush=True)  # noqa: T201 -- ready
    sys.stdin.readline()
    began, began_at, cpu = time.perf_counter(), time.time(), time.process_time()

    async def work(connection: _Connection, pending: Iterator[tuple[int, bytes]]) -> None:
        for number, request in pending:
            due = time.perf_counter() if job.rate is None else began + number / job.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            async with asyncio.timeout(_REQUEST_SECONDS):
                status, body = await connection.send(request)
            took = time.perf_counter() - due
            replies[number] = Reply(status, began_at + due - began, took, body.decode())

    await asyncio.gather(*(work(connection, pending) for connection in connections))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    for connection in connections:
        connection.close()
    return Result([replies[number] for number in range(len(job.calls))], seconds, cpu_seconds)


def _bytes(url: str, call: Call) -> bytes:
    body = call.body.encode()
    headers = {"Host": urlsplit(url).netloc, **call.headers, "Content-Length": str(len(body))}
    lines = [f"{call.method} {call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def main() -> int:
    """Do the job on stdin."""
    given = json.loads(sys.stdin.readline())
    job = Job(**{**given, "calls": [Call(**call) for call in given["calls"]]})
    json.dump(asdict(asyncio.run(_do(job))), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
