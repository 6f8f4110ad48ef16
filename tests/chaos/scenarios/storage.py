"""The storage account is lost with the ledger in it, and restored from the copy that the app makes each day."""

import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import requests
from azure.storage.blob import BlobServiceClient

from sandbox.client import eventually
from sandbox.machine.ports import LOOPBACK
from sandbox.repository import REPOSITORY
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.observe import observe, waiting
from tests.chaos.scenario import Run, Scenario
from tests.chaos.scenarios.restores import Restore, ids

_CONTAINER = "ledger-copies"
_TIMER_SECOND = 7 * 60 + 20
"""When in each ten minutes the app makes its copy by itself, unless it has made it that day."""
_FIRST_PART_SECONDS = 120


def lose_storage(run: Run) -> None:
    """Orders are made, the copy is made, and after it there are more; then all tables and blobs are gone.

    People go on working while nothing is there. Then the copy is imported, the worker runs again, and all records are
    sent again.
    """
    count = run.size(20, 300)
    _wait_for_the_timer_to_pass()
    with running(run.folder / "sandbox") as bench:
        it = Restore(run, bench, "azurite", bench.sandbox.state.data / "azurite")
        run.show(0, "orders", total=6)
        old = it.orders(count)
        run.show(1, "the app makes its copy")
        file = _copy(bench, run.folder / "copy.jsonl.gz")
        copied = {answer.event_id for answer in it.history.answers}
        run.show(2, "customers are renamed, and more orders")
        it.rename(ids("account", old)[::2], "South")
        new = it.orders(count // 2)
        since = {answer.event_id for answer in it.history.answers} - copied
        run.show(3, "the storage account is lost")
        processes = bench.sandbox.processes
        processes.kill("azurite")
        lost_at = time.monotonic()
        # Without what it remembers the worker would do everything again, so it stands still until the copy is imported.
        processes.stop_one(WORKER)
        _empty(bench.sandbox.state.data / "azurite")
        for account in ids("account", [*old, *new])[::3]:
            it.client.dataverse.update("account", account, {"name": "West"})
        processes.start("azurite")
        run.show(4, "the copy is imported")
        entities = _import(bench, file)
        processes.start(WORKER)
        it.settle()
        run.show(5, "the records are sent again")
        it.send_again("account", ids("account", [*old, *new]))
        it.send_again("opportunity", ids("opportunity", [*old, *new]))
        eventually(lambda: not waiting(it.client), within=120, what="an empty work queue")
        back = time.monotonic() - lost_at
        it.history.answers = [answer for answer in it.history.answers if answer.event_id not in since]
        observe(bench, it.history, [*old, *new], seen=it.client.dataverse.last_event(), within=60)
        gone = [event_id for event_id in since if it.client.app.operation(event_id) is None]
    run.judge(it.history)
    run.figure(records=len(old) + len(new), entities_imported=entities)
    run.figure(events_since_the_copy=len(since), of_which_the_status_is_gone=len(gone))
    run.figure(seconds_from_the_loss_to_everything_sent_again=round(back))
    run.demand(entities > count, f"the copy had {entities} entities")


def _wait_for_the_timer_to_pass() -> None:
    """The copy has to be made when the scenario asks for it, not a moment earlier by the timer."""
    now = datetime.now(UTC)
    left = _TIMER_SECOND + 5 - (now.minute % 10 * 60 + now.second)
    if 0 < left < _FIRST_PART_SECONDS:
        time.sleep(left)


def _copy(bench: Bench, file: Path) -> Path:
    """Have the app make its copy, and fetch it."""
    address = f"http://{LOOPBACK}:{bench.sandbox.ports.events_host}/admin/functions/ledger_copy"
    requests.post(address, json={}, timeout=10).raise_for_status()
    container = BlobServiceClient.from_connection_string(bench.endpoints.storage).get_container_client(_CONTAINER)

    def copies() -> list[str]:
        return list(container.list_blob_names()) if container.exists() else []

    (name,) = eventually(copies, within=60, what="the copy of the ledger")
    content: bytes = container.download_blob(name).readall()
    file.write_bytes(content)
    return file


def _import(bench: Bench, file: Path) -> int:
    """Entities that were written."""
    said = ""
    for words in (("import", str(file)), ("rebuild",)):
        command = [sys.executable, "-m", "integration.cli.ledger", *words, "--sandbox", str(bench.sandbox.state.root)]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=True)  # noqa: S603 -- ours
        said += done.stdout
    return int(said.split(" entities written")[0].split()[-1])


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


SCENARIOS = [
    Scenario(
        "storage-lost", "All tables and blobs are lost, and the ledger is restored from its copy.", 2, 6, lose_storage
    ),
]
