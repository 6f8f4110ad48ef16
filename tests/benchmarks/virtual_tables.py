"""How fast virtual tables are read: `python -m tests.benchmarks.virtual_tables` (two minutes).

An ERP of the REST contract gets 100,000 customers. Then 100 readers at once ask the running app, over HTTP, what lists
and forms of Dataverse ask: pages of 50 somewhere among all rows, with their number, and single rows by key. Each asks
for the next as soon as it has an answer. All processes, the ERP's stand-in among them, share the cores of the machine.
Then come queries that the ERP cannot answer and the app refuses after reading 5,001 rows, ten at once: what they cost
in memory.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.bench.proc import descendants, resident_mib
from sandbox.machine.ports import Ports
from sandbox.running.endpoints import Endpoints
from sandbox.running.sandbox import Sandbox

ROWS: Final = 100_000
PAGE: Final = 50
READERS: Final = 100
SELECT: Final = "erpcustomerid,number,name,city,balance"
SINGLE: Final = 0.2
"""The share of single rows."""


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    print(json.dumps(measured(options.rows, options.readers, options.seconds), indent=2))  # noqa: T201 -- a command


def measured(rows: int, readers: int, seconds: float) -> dict[str, Any]:
    """All figures; memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"VIRTUAL_TABLE_REQUESTS": "10000000"}
        sandbox = Sandbox(Path(folder), Ports.free(), settings=settings, storage_in_memory=True)
        reached = sandbox.start()
        try:
            keys = _fill(sandbox.state.data / "erp.sqlite", rows)
            return asyncio.run(_measured(sandbox, reached, keys, readers, seconds))
        finally:
            sandbox.stop()


def _fill(database: Path, rows: int) -> list[str]:
    """Customers as the ERP keeps them; their keys in the order of their numbers."""
    keys = [str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))) for number in range(rows)]
    with sqlite3.connect(database) as connection:
        bodies = (
            (key, 100_000 + number, 1, json.dumps({"name": f"Customer {number}", "kind": "organisation",
             "status": "active", "currency": "EUR", "address": {"city": f"City {number % 500}"}, "sourceVersion": 1}))
            for number, key in enumerate(keys)
        )  # fmt: skip
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", bodies)
    connection.close()
    return keys


async def _measured(
    sandbox: Sandbox, reached: Endpoints, keys: Sequence[str], readers: int, seconds: float
) -> dict[str, Any]:
    host = sandbox.processes.pid("host-http")
    assert host is not None
    root = f"{reached.functions}/api/odata/erpcustomers"
    headers = {"x-functions-key": reached.virtual_tables_key}
    chance = random.Random(17)  # noqa: S311 -- which rows are read

    def pages() -> str:
        if chance.random() < SINGLE:
            return f"{root}({chance.choice(keys)})?$select={SELECT}"
        skip = chance.randrange(len(keys) - PAGE)
        return f"{root}?$top={PAGE}&$skip={skip}&$select={SELECT}&$count=true"

    def refused() -> str:
        return f"{root}?$filter=city eq 'City {chance.randrange(500)}' and name ne '{chance.random()}'"

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await _read(session, pages, 4, 2.0)  # connections and imports
        before = _memory(host)
        took, statuses, highest = await _watched(session, pages, readers, seconds, host)
        _, refusals, of_refusals = await _watched(session, refused, 10, seconds / 3, host)
    took.sort()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "command": f"python -m tests.benchmarks.virtual_tables {' '.join(sys.argv[1:])}".strip(),
        "rows": len(keys),
        "readers": readers,
        "seconds": seconds,
        "requests": len(took),
        "requestsPerSecond": round(len(took) / seconds, 1),
        "milliseconds": {
            "median": round(statistics.median(took) * 1000),
            "p95": round(took[int(len(took) * 0.95)] * 1000),
            "p99": round(took[int(len(took) * 0.99)] * 1000),
            "largest": round(took[-1] * 1000),
        },
        "statuses": dict(statuses),
        "hostAndWorkerMiB": {"before": before, "highest": highest, "highestWithRefusedQueries": of_refusals},
        "refusedQueries": dict(refusals),
    }


async def _watched(
    session: aiohttp.ClientSession, url: Callable[[], str], readers: int, seconds: float, host: int
) -> tuple[list[float], Counter[int], float]:
    """What `_read` gives, and the most memory that the host and its worker had meanwhile."""
    reading = asyncio.create_task(_read(session, url, readers, seconds))
    highest = 0.0
    while not reading.done():
        highest = max(highest, _memory(host))
        await asyncio.sleep(0.25)
    return *reading.result(), highest


async def _read(
    session: aiohttp.ClientSession, url: Callable[[], str], readers: int, seconds: float
) -> tuple[list[float], Counter[int]]:
    """How long each answer took, and how many had which status."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    end = time.monotonic() + seconds

    async def reader() -> None:
        while time.monotonic() < end:
            began = time.perf_counter()
            async with session.get(url()) as answer:
                await answer.read()
            took.append(time.perf_counter() - began)
            statuses[answer.status] += 1

    await asyncio.gather(*(reader() for _ in range(readers)))
    return took, statuses


def _memory(host: int) -> float:
    return round(sum(map(resident_mib, descendants(host))), 1)


if __name__ == "__main__":
    main()
