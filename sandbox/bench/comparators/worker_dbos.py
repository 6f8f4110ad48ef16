"""DBOS: a durable workflow of three steps for each message, on SQLite; a step that is done is not done again.

With `--once` it only makes the database, and ends.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from dbos import DBOS, DBOSConfig

from sandbox.bench.comparators.context import Context
from sandbox.bench.comparators.outside_calls import OutsideCalls

_calls: dict[str, "asyncio.Task[OutsideCalls]"] = {}


def _outside() -> "asyncio.Task[OutsideCalls]":
    """One set of connections, opened by the first workflow on the loop that all of them run on."""
    if "outside" not in _calls:
        _calls["outside"] = asyncio.create_task(OutsideCalls.open())
    return _calls["outside"]


@DBOS.step()
async def read(account: str) -> dict[str, Any]:
    """Step 1."""
    return await (await _outside()).read(account)


@DBOS.step()
async def put_customer(account: str, row: dict[str, Any], key: str) -> str:
    """Step 2."""
    return await (await _outside()).put_customer(account, row, key)


@DBOS.step()
async def write_back(account: str, etag: str, number: str) -> None:
    """Step 3."""
    await (await _outside()).write_back(account, etag, number)


@DBOS.workflow(name="handle")
async def handle(body: str) -> None:
    """One message."""
    context = Context.model_validate_json(body)
    account = str(context.primary_entity_id)
    row = await read(account)
    number = await put_customer(account, row, str(context.operation_id))
    await write_back(account, row["@odata.etag"], number)


def main() -> None:
    """Work until the process is ended."""
    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": os.environ["DBOS_URL"],
        "log_level": "WARNING",
        "application_version": "1",
    }
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue("work", worker_concurrency=128, polling_interval_sec=0.02)
    if "--once" not in sys.argv:
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    DBOS.destroy()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
