"""What batches give to write-backs of which many wait: `python -m tests.benchmarks.write_backs` (about a minute).

Rows are read and written back as by 128 sessions at once, through the client with its protection, to a Dataverse that
is played: a round trip takes 20 ms, a read 20 ms and a write 80 ms of its own, and a batch carries out its writes one
after the other. It keeps the limits of service protection: 6,000 requests and 1,200 s of execution within five minutes,
here in a tenth of the time. First without that limit, then with it; each alone, and in batches of several sizes.
"""

import asyncio
import json
import statistics
import time
from collections import deque
from dataclasses import dataclass, field

from integration.clock import SystemClock
from integration.dataverse import Batched, DataverseClient, answers_of, dataverse_failure
from integration.protection import Instances, MemoryState, Protected, Switch
from integration.transport import ApiKey, Authorizer, CallContext, Request, Response

URL = "https://dataverse.example"
TRIP, READ, WRITE, BATCH = 0.020, 0.020, 0.080, 0.010
CONCURRENCY, SESSIONS = 8, 128
WINDOW, REQUESTS, EXECUTION = 30.0, 600, 120.0
ROW = json.dumps({"@odata.context": "x", "@odata.etag": 'W/"2"', "accountid": "1", "versionnumber": 2}).encode()


@dataclass
class Dataverse:
    """Answers after the time that it takes; what exceeds a limit waits until it may, as an obedient client would."""

    limited: bool
    requests: int = 0
    spent: deque[tuple[float, float]] = field(default_factory=deque)
    seconds: list[float] = field(default_factory=list)

    async def send(self, request: Request, *, authorizer: Authorizer | None, context: CallContext) -> Response:
        batch = request.url.endswith("$batch")
        writes = request.body.count(b"PATCH ") if batch and request.body else 1
        each = READ if request.method == "GET" else WRITE
        work = each * writes + (BATCH if batch else 0.0)
        if self.limited:
            await self._admitted(work)
        self.requests += 1
        await asyncio.sleep(TRIP + work)
        if not batch:
            return Response(request, 200, {"content-type": "application/json"}, ROW)
        head = (b"--b", b"Content-Type: application/http", b"", b"HTTP/1.1 200 OK", b"Content-Type: application/json")
        part = b"\r\n".join((*head, b"", ROW, b""))
        return Response(request, 200, {"content-type": "multipart/mixed; boundary=b"}, part * writes + b"--b--\r\n")

    async def _admitted(self, work: float) -> None:
        while True:
            now = time.monotonic()
            while self.spent and self.spent[0][0] < now - WINDOW:
                self.spent.popleft()
            if len(self.spent) < REQUESTS and sum(it for _, it in self.spent) < EXECUTION:
                self.spent.append((now, work))
                return
            await asyncio.sleep(max(0.01, self.spent[0][0] + WINDOW - now))


async def measure(size: int, rows: int, *, limited: bool) -> None:
    """Print one line."""
    clock, shared, system = SystemClock(), MemoryState(), Dataverse(limited)
    protected = Protected(
        system,
        Switch("dataverse", shared, clock, full=CONCURRENCY),
        concurrency=CONCURRENCY,
        failure_of=dataverse_failure,
        clock=clock,
        requests=1_000_000,
        instances=Instances(shared, clock),
        answers_of=answers_of,
    )
    client = DataverseClient(protected, ApiKey("k"), URL, clock=clock, batched=Batched(at_once=CONCURRENCY, size=size))
    gate, waited = asyncio.Semaphore(SESSIONS), []

    async def one(number: int) -> None:
        async with gate:
            row_id = f"00000000-0000-0000-0000-{number:012}"
            row = await client.retrieve("accounts", row_id, select=["name"])
            began = time.monotonic()
            await client.update("accounts", row_id, {"new_number": str(number)}, etag=row.etag, tag="t")
            waited.append(time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(rows)))
    took = time.monotonic() - began
    name = "alone" if size == 1 else f"{size} in a batch"
    slowest = statistics.quantiles(waited, n=100)[98]
    say(
        f"  {name:<15} {rows / took:6.1f} rows/s   {system.requests / rows:5.2f} requests a row   "
        f"a write takes {statistics.median(waited):5.2f} s, 99 % less than {slowest:5.2f} s"
    )


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- that is what it is for


async def main() -> None:
    """Both measurements."""
    for limited, rows in ((False, 800), (True, 1_000)):
        say("with service protection" if limited else "without a limit of requests")
        for size in (1, 5, 10, 25):
            await measure(size, rows, limited=limited)


if __name__ == "__main__":
    asyncio.run(main())
