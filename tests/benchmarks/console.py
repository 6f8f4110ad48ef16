"""What the console's reading costs: `python -m tests.benchmarks.console` (half an hour; less with `--events 100000`).

A ledger in Azurite (in memory) is filled with events that have ended and with dead letters of twenty causes. Then are
measured: the overview as a page, from the request to the HTML, with the events and without dead letters; grouping all
dead letters; listing all of them, page by page; and the overview with all of them. Azurite is not Azure Tables: it
looks through a whole table for each query, so a page of a large table takes longer here.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import azure.functions as func

from integration.batching import each, persistently
from integration.clock import SystemClock, iso
from integration.composition.app import open_site
from integration.composition.services import build_services
from integration.console.sessions import COOKIE, Sessions
from integration.errors import Outage
from integration.ledger import Ledger, State, keys
from integration.operations.causes import CauseQuery
from integration.operations.search import Filter
from integration.settings import Settings
from integration.tables import Entity
from integration.transport import Transport
from sandbox.running.sandbox import Sandbox

LOOKS: Final = 20
CAUSES: Final = 20
CHUNK: Final = 100
AT_ONCE: Final = 8
TRIES: Final = 5


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="events that have ended")
    parser.add_argument("--dead-letters", type=int, default=100_000, help="dead letters")
    options = parser.parse_args()
    os.environ.setdefault("NODE_OPTIONS", "--max-old-space-size=14000")  # a million events take more than usual
    print(json.dumps(asyncio.run(measured(options.events, options.dead_letters)), indent=2))  # noqa: T201 -- a command


async def measured(events: int, dead_letters: int) -> dict[str, Any]:
    """All figures; times in seconds, memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox = Sandbox(Path(folder), app=None, storage_in_memory=True)
        sandbox.start()
        try:
            return await _measured(sandbox, events, dead_letters)
        finally:
            sandbox.stop()


async def _measured(sandbox: Sandbox, events: int, dead_letters: int) -> dict[str, Any]:
    settings = Settings.from_environment(sandbox.app_settings)
    services = build_services(settings)
    desk, ledger = services.operations.desk, services.retention._ledger
    site, clock = open_site(services, settings), SystemClock()
    ((caller, (key, *_)),) = settings.operations_keys.items()
    session = Sessions(settings.operations_keys, clock).begin(caller, key.get_secret_value())

    async def look() -> float:
        desk.causes.forget()
        request = func.HttpRequest(
            "GET",
            "http://app/api/console",
            headers={"Cookie": f"{COOKIE}={session}"},
            route_params={},
            params={},
            body=b"",
        )
        began = time.perf_counter()
        answer = await site.answer(request)
        took = time.perf_counter() - began
        assert answer.status_code == 200, answer.get_body()
        return took

    await look()
    began = _say("loading events")
    await _load_events(ledger, events, datetime.now(UTC))
    loading = time.perf_counter() - began
    began = _say("taking the figures")
    await desk.figures.take()
    taking = time.perf_counter() - began
    _say("looking")
    few = [await look() for _ in range(LOOKS)]
    _say("loading dead letters")
    await _fill(ledger, _dead_letters(dead_letters, datetime.now(UTC)))
    before = _memory()
    cpu = _cpu_seconds(sandbox)
    began = _say("grouping")
    found = await CauseQuery(ledger, clock).now()
    grouping = time.perf_counter() - began
    assert (found.total, len(found.causes)) == (dead_letters, min(CAUSES, dead_letters))
    began = _say("listing")
    listed, pages, following = 0, 0, ""
    while True:
        page = await desk.search.problem_page(Filter(), following=following)
        listed, pages = listed + len(page.problems), pages + 1
        if page.following is None:
            break
        following = page.following
    listing, after = time.perf_counter() - began, _memory()
    cpu = _cpu_seconds(sandbox) - cpu
    assert listed == dead_letters
    _say("taking the figures again")
    await desk.figures.take()
    _say("looking again")
    many = [await look() for _ in range(LOOKS)]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
        "command": f"python -m tests.benchmarks.console --events {events} --dead-letters {dead_letters}",
        "events": events,
        "deadLetters": dead_letters,
        "secondsToLoad": round(loading, 1),
        "overviewMilliseconds": _spread(few),
        "overviewWithDeadLettersMilliseconds": _spread(many),
        "figuresSeconds": round(taking, 2),
        "groupingSeconds": round(grouping, 2),
        "listingSeconds": round(listing, 2),
        "listingPages": pages,
        "groupingAndListingCpuSeconds": round(cpu, 1),
        "groupingAndListingMoreMB": round(after - before, 1),
        "processMB": round(after, 1),
    }


def _say(what: str) -> float:
    """What is done now; the time at which it begins."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)  # noqa: T201 -- a command
    return time.perf_counter()


def _spread(seconds: Sequence[float]) -> dict[str, int]:
    """The median and the largest, in milliseconds."""
    return {"median": round(statistics.median(seconds) * 1_000), "largest": round(max(seconds) * 1_000)}


async def _fill(ledger: Ledger, rows: AsyncIterator[tuple[str, Sequence[Entity]]]) -> None:
    """Write chunks of rows of one partition, some side by side."""
    waiting: set[asyncio.Task[None]] = set()
    async for table, chunk in rows:
        write = partial(ledger.table(table).merge_all, chunk)
        waiting.add(asyncio.create_task(persistently(write, asyncio.sleep)))
        if len(waiting) >= AT_ONCE:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    await asyncio.gather(*waiting)


async def _load_events(ledger: Ledger, count: int, now: datetime) -> None:
    """Write events of thirty days that have ended, a hundred of each record within an hour, as raw transactions.

    Those of the last day are in the index by time too, which the figures are counted from.
    """
    transport = ledger._transport

    async def write(chunk: int) -> None:
        hour = now - timedelta(hours=1 + chunk % (30 * 24))
        record, partition = str(uuid.UUID(int=chunk)), f"{chunk:08x}"
        ids = [f"{hour:%Y%m%d%H%M}-{partition}{chunk:016x}{number:08x}" for number in range(CHUNK)]
        named = f'"table":"opportunity","recordId":"{record}","message":"Update"'
        common = (
            f'"schema":1,{named},"attempts":1,"state":"completed","correlationId":"{record}","acceptedTime":"{iso(hour)}",'
            f'"changedTime":"{iso(hour)}","startedAttempt":1,"steps":"[]","caller":"dataverse"'
        )
        month = f"{hour:%Y%m}"
        rows = [f'{{"PartitionKey":"{partition}","RowKey":"{it}",{common}}}' for it in ids]
        await _insert(ledger, transport, keys.events_table(month), rows)
        if chunk % (30 * 24) < 24:
            time_partition = keys.time_partition(hour)
            rows = [f'{{"PartitionKey":"{time_partition}","RowKey":"{it}","eventId":"{it}",{named}}}' for it in ids]
            await _insert(ledger, transport, keys.index_table(month), rows)
        if chunk % 500 == 0:
            _say(f"{chunk * CHUNK:,} events")

    for month in {f"{now - timedelta(hours=1 + back):%Y%m}" for back in range(30 * 24)}:
        for table in (keys.events_table(month), keys.index_table(month)):
            await ledger._account.create_table(transport, table)
    await each(write, range(count // CHUNK), at_once=4)


async def _insert(ledger: Ledger, transport: Transport, table: str, rows: Sequence[str]) -> None:
    """Insert rows of one partition in one transaction; what is there already stays."""
    account, mark = ledger._account, "changeset_1"
    head = (
        f"--{mark}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"POST {account.endpoint}/{table} HTTP/1.1\r\nContent-Type: application/json\r\n"
        "Accept: application/json;odata=minimalmetadata\r\nPrefer: return-no-content\r\n"
        "DataServiceVersion: 3.0\r\n\r\n"
    )
    parts = "".join(f"{head}{row}\r\n" for row in rows)
    body = (
        f"--batch_1\r\nContent-Type: multipart/mixed; boundary={mark}\r\n\r\n{parts}--{mark}--\r\n--batch_1--\r\n"
    ).encode()
    headers = {"Content-Type": "multipart/mixed; boundary=batch_1"}
    for _ in range(TRIES):
        try:
            answer = await account.send(transport, "load", "POST", "$batch", headers=headers, body=body)
        except Outage:
            continue
        assert answer.status == 202, answer.body
        assert b"HTTP/1.1 4" not in answer.body or b"EntityAlreadyExists" in answer.body, answer.body[:2_000]
        return
    raise AssertionError("Azurite does not answer")


async def _dead_letters(count: int, now: datetime) -> AsyncIterator[tuple[str, Sequence[Entity]]]:
    """Dead letters of twenty causes, of the last two days."""
    partitions = keys.problem_partitions(State.DEAD_LETTERED.value)
    for number in range(0, count, CHUNK):
        since = now - timedelta(minutes=number // CHUNK * 2_880 / max(count // CHUNK, 1))
        yield (
            keys.PROBLEMS,
            [
                {
                    "PartitionKey": partitions[number // CHUNK % len(partitions)],
                    "RowKey": f"{since:%Y%m%d%H%M}-{uuid.uuid4().hex}", "schema": 1, "table": "opportunity",
                    "recordId": str(uuid.uuid4()), "message": "Update", "reason": f"erp-cause-{place % CAUSES}",
                    "detail": "the ERP refuses the order, in a sentence of about this length, with a number 4711",
                    "system": "erp", "attempts": 1, "since": iso(since), "nextAttempt": "",
                }
                for place in range(min(CHUNK, count - number))
            ],
        )  # fmt: skip


def _cpu_seconds(sandbox: Sandbox) -> float:
    """What this process and Azurite have used; on a machine with other work, the time on the wall is longer (Linux)."""
    stat = Path(f"/proc/{sandbox.processes.pid('azurite')}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory() -> float:
    """The most memory that this process has had, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


if __name__ == "__main__":
    main()
