"""A table is loaded through its flow while people work, and whoever loads it is killed and interrupted."""

import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from statistics import median

from sandbox.client import Client, eventually
from sandbox.repository import REPOSITORY
from tests.chaos.app.bench import Bench, running
from tests.chaos.app.observe import waiting
from tests.chaos.app.rows import AT_ONCE, create_accounts, parts
from tests.chaos.scenario import Run, Scenario

_RATE = "500"
"""As fast as the worker is: a load is queued only a little ahead of it."""


def load_a_table(run: Run) -> None:
    """Rows that were there before reach the ERP once each, and changes of people are not held up by them."""
    rows = run.size(5_000, 100_000)
    with running(run.folder / "sandbox") as bench:
        client = bench.client()
        wanted = _rows(run, client, rows)
        started, live = time.monotonic(), list[float]()
        ends = [_load(run, bench, live, stop) for stop in (signal.SIGKILL, signal.SIGINT, None)]
        queued = time.monotonic() - started
        _wait(run, client, live, rows)
        took = time.monotonic() - started
        times = Counter((effect["kind"], effect["id"]) for effect in client.erp.effects())
    created = [times["customer-created", row_id] for row_id in wanted]
    again = sum(times["customer-updated", row_id] for row_id in wanted)
    run.figure(
        rows=rows,
        seconds_until_all_were_queued=round(queued),
        seconds_until_all_were_done=round(took),
        rows_in_a_second=round(rows / took),
        changes_of_people_meanwhile=len(live),
        milliseconds_of_such_a_change=round(1_000 * median(live)),
        milliseconds_of_the_slowest=round(1_000 * max(live)),
        customers_created=sum(created),
        states_written_once_more=again,
    )
    run.demand(ends == [-signal.SIGKILL, 130, 0], f"the command ended with {ends}")
    run.demand(
        set(created) == {1}, f"of {rows} rows the ERP has {sum(map(bool, created))}, created {sum(created)} times"
    )


def _rows(run: Run, client: Client, count: int) -> list[str]:
    """So many accounts of which no step has sent an event."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for number, some in enumerate(parts(ids)):
        create_accounts(client, some, "Old", silent=True)
        run.show(number * AT_ONCE, "rows", total=count)
    return ids


def _load(run: Run, bench: Bench, live: list[float], stop: signal.Signals | None) -> int:
    """The command, which is sent a signal after its first steps; its exit status."""
    words = ["load", "account", "--rate", _RATE, "--why", "the first load", "--where", "name eq 'Old'"]
    command = [sys.executable, "-m", "sandbox.commands", *words, "--sandbox", str(bench.sandbox.state.root)]
    client, steps = bench.client(), 0
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- ours
        assert process.stdout is not None
        for line in process.stdout:
            steps += 1
            run.show(0, line.strip())
            _change(client, live)
            if steps == 1 and stop is not None:
                process.send_signal(stop)
    return process.returncode


def _change(client: Client, live: list[float]) -> None:
    """A person creates an account: how long it takes until the ERP has it."""
    started = time.monotonic()
    row_id = client.dataverse.create("account", {"name": "Live"})
    client.app.wait_for(client.dataverse.event_id(row_id, within=60), within=120)
    live.append(time.monotonic() - started)


def _wait(run: Run, client: Client, live: list[float], total: int) -> None:
    """Until all events have ended; a person goes on working."""

    def ended() -> bool:
        _change(client, live)
        left = waiting(client)
        run.show(total - left, "events", total=total)
        time.sleep(1.0)
        return left == 0

    eventually(ended, within=7_200, what="an empty work queue")
    time.sleep(2.0)


SCENARIOS = [
    Scenario("first-load", "A table is loaded, and whoever loads it is killed.", 5, 60, load_a_table),
]
