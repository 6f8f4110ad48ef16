"""Inputs of every kind for the intake, made by a seed: a few good ones, and what nobody would expect.

`python -m tests.chaos.app.strange` reads a `Job` as JSON, sends its inputs over a few connections, and writes a `Sent`.
It speaks just enough HTTP/1.1 to send what a client library would refuse to send.
"""

import asyncio
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sandbox.repository import PAYLOADS

PATHS: Final = (
    "/api/dataverse/webhook",
    "/api/events",
    "/api/rows",
    "/api/erp/events/order-shipped",
    "/api/event-grid",
    "/api/dataverse/custom/credit-check",
)
_CAPTURED: Final = (
    "webhook_async_update_account_2019",
    "webhook_sync_create_all_field_types",
    "webhook_async_delete_lead",
)
_NUMBERS: Final = (
    "1e400",
    "-0",
    "NaN",
    "Infinity",
    "9" * 400,
    "1." + "0" * 300,
    "0.1e-9999",
    str(2**63),
    "-1e5",
    "007",
)
_DATES: Final = (
    "/Date(0)/",
    "/Date(9" + "9" * 30 + ")/",
    "/Date(-62135596800001)/",
    "/Date(1+9999)/",
    "2026-13-45T99:99Z",
)
_TYPES: Final = (b"application/json", b"text/plain", b"", b"application/json; charset=utf-16", b"\xff\xfe", b"a/b+json")
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """Inputs number `first`, `first + step` and so on, `count` of them at most, until `seconds` are over."""

    url: str
    keys: list[str]
    seed: int
    first: int
    step: int
    count: int
    seconds: float
    connections: int = 8


@dataclass(slots=True)
class Sent:
    """How many inputs were answered with each status, what was accepted, and what should not have been answered so."""

    statuses: dict[str, int] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


class Inputs:
    """Makes input number `n` of a seed: the bytes of a whole request, the same in every run."""

    def __init__(self, seed: int, keys: list[str]) -> None:
        self._seed = seed
        self._keys = keys
        self._path = ""
        self._captured = [(PAYLOADS / f"{name}.json").read_bytes().decode("utf-8-sig") for name in _CAPTURED]
        self._kinds: tuple[Callable[[random.Random], bytes], ...] = (
            self._good,
            self._good,
            self._bytes,
            self._cut,
            self._numbers,
            self._deep,
            self._twice,
            self._encoded,
        )

    def request(self, number: int) -> bytes:
        """The request, with a body of some kind and headers that are mostly right."""
        rng = random.Random(f"{self._seed}:{number}")  # noqa: S311 -- repeatable
        self._path = rng.choice(PATHS)
        body = rng.choice(self._kinds)(rng)
        headers = [
            b"Host: localhost",
            b"Content-Type: " + (b"application/json" if rng.random() < 0.9 else rng.choice(_TYPES)),
            b"x-functions-key: " + (rng.choice(self._keys).encode() if rng.random() < 0.95 else b"wrong \xc3\xbc"),
            *self._more_headers(rng),
        ]
        if rng.random() < 0.02:
            chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if body else b"0\r\n\r\n"
            headers, body = [*headers, b"Transfer-Encoding: chunked"], chunk
        else:
            headers.append(f"Content-Length: {len(body)}".encode())
        return f"POST {self._path} HTTP/1.1\r\n".encode() + b"\r\n".join(headers) + b"\r\n\r\n" + body

    @staticmethod
    def _more_headers(rng: random.Random) -> list[bytes]:
        odd = (
            b"traceparent: 00-" + b"f" * rng.randrange(60),
            b"x-correlation-id: " + bytes(rng.choices(range(33, 256), k=rng.randrange(1, 300))),
            b"Content-Encoding: " + rng.choice((b"gzip", b"br", b"identity", b"x")),
            b"x-ms-dynamics-msg-size-exceeded: ",
            b"Authorization: Bearer " + rng.choice((b"e30.e30.e30", b"x" * 5_000, b"\xff")),
            b"webhook-signature: v1,AAAA",
            b"ce-specversion: " + rng.choice((b"1.0", b"0.3")),
            b"x-forwarded-host: " + rng.choice((b"a b", b"evil.example", b"[::1]:x")),
        )
        return rng.sample(odd, k=rng.choice((0, 0, 0, 1, 2)))

    def _good(self, rng: random.Random) -> bytes:
        """What belongs to the path: a captured context as a new operation, a payload of a plug-in, a row, an event."""
        row, operation = (str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(2))
        at = f"2026-11-{rng.randrange(1, 28):02}T12:00:00Z"
        context = json.loads(rng.choice(self._captured)) | {"OperationId": operation, "RequestId": operation}
        by_path: dict[str, Any] = {
            "/api/events": {"EventName": "AccountUpdated", "RecordId": row, "Timestamp": at, "OperationId": operation},
            "/api/rows": {"table": "account", "message": "Update", "id": row, "time": at, "operationId": operation},
            "/api/erp/events/order-shipped": [{"id": operation, "record": row, "time": at}],
            "/api/event-grid": {"specversion": "1.0", "id": operation, "type": "x", "source": "/x", "data": context},
        }
        return json.dumps(by_path.get(self._path, context)).encode()

    @staticmethod
    def _bytes(rng: random.Random) -> bytes:
        return rng.randbytes(rng.choice((0, 1, 10, 300, 3_000)))

    def _cut(self, rng: random.Random) -> bytes:
        """A good body that was cut, or of which one byte is another."""
        good = bytearray(self._good(rng))
        if rng.random() < 0.5:
            return bytes(good[: rng.randrange(len(good))])
        good[rng.randrange(len(good))] = rng.randrange(256)
        return bytes(good)

    def _numbers(self, rng: random.Random) -> bytes:
        """Numbers and dates that no type holds, in place of values of a context."""
        context = rng.choice(self._captured)
        odd = rng.choice((*_NUMBERS, *(f'"{it}"' for it in _DATES)))
        places = [at for at in range(len(context)) if context.startswith('"value":', at)]
        at = rng.choice(places) + len('"value":')
        end = min(found for found in (context.find(it, at) for it in ",}]") if found > 0)
        return (context[:at] + odd + context[end:]).encode()

    @staticmethod
    def _deep(rng: random.Random) -> bytes:
        """Levels upon levels, closed or not."""
        depth = rng.choice((10, 300, 499, 501, 2_000, 100_000))
        opening, closing = rng.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
        return (opening * depth + "1" + closing * rng.choice((depth, 0))).encode()

    def _twice(self, rng: random.Random) -> bytes:
        """A context with keys that it has already."""
        context = rng.choice(self._captured)
        key = rng.choice(("OperationId", "PrimaryEntityName", "InputParameters", "OrganizationId"))
        return (
            context.rstrip()[:-1] + f',"{key}":{rng.choice(("null", "5", "[]", chr(34) + "x" + chr(34)))}}}'
        ).encode()

    def _encoded(self, rng: random.Random) -> bytes:
        """In another encoding than it says: UTF-16, Latin-1, a byte order mark, packed, JSON within JSON."""
        text = rng.choice(self._captured)
        return rng.choice(
            (
                lambda: text.encode("utf-16"),
                lambda: text.encode("latin-1", "replace"),
                lambda: text.encode("utf-8-sig"),
                lambda: gzip.compress(text.encode(), mtime=0),
                lambda: json.dumps(text).encode(),
                lambda: json.dumps(json.dumps(json.dumps(text))).encode(),
                lambda: text.replace("account", "acc\\ud83dount").encode(),
            )
        )()


async def send(job: Job) -> Sent:
    """Send the inputs of a job."""
    sent, statuses = Sent(), Counter[str]()
    inputs, numbers = Inputs(job.seed, job.keys), iter(range(job.first, job.first + job.step * job.count, job.step))
    until = time.monotonic() + job.seconds

    async def work() -> None:
        connection = _Connection(job.url)
        for number in numbers:
            if time.monotonic() > until:
                break
            status, body = await asyncio.wait_for(connection.ask(inputs.request(number)), _SECONDS)
            statuses[str(status)] += 1
            if not (200 <= status < 300 or 400 <= status < 500 or status in {500, 503}):
                sent.odd.append(f"input {number}: {status}")
            elif status == 500 and b"cannot be checked" not in body:  # of a check, which says so on purpose
                sent.odd.append(f"input {number}: {status} {body[:200]!r}")
            elif status in {200, 202} and b"eventId" in body:
                sent.accepted += _accepted(body)
        connection.close()

    await asyncio.gather(*(work() for _ in range(job.connections)))
    sent.statuses = dict(statuses)
    return sent


def _accepted(body: bytes) -> list[str]:
    said = json.loads(body)
    return [it["eventId"] for it in said.get("events", [said]) if it["status"] == "accepted"]


class _Connection:
    """One connection, opened again where the host has closed it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises `OSError` where there is none."""
        for _ in range(2):
            fresh = self._streams is None
            reader, writer = self._streams = self._streams or await asyncio.open_connection(self._host, self._port)
            try:
                writer.write(request)
                await writer.drain()
                return await self._answer(reader)
            except (OSError, EOFError):
                self.close()
                if fresh:
                    raise
        raise OSError("no answer")

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        length = next(
            (line.partition(":")[2] for line in head.split("\r\n") if line.startswith("content-length:")), "0"
        )
        body = await reader.readexactly(int(length))
        if status >= 400 or "connection: close" in head:  # what is left of a refused body is not to be read
            self.close()
        return status, body

    def close(self) -> None:
        """Close it; harmless where it is closed."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def main() -> None:
    """Do the job on standard input."""
    sent = asyncio.run(send(Job(**json.load(sys.stdin))))
    json.dump(asdict(sent), sys.stdout)


if __name__ == "__main__":
    main()
