"""Azurite as the sandbox starts it."""

import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from integration.clock import SystemClock
from integration.tables import Entity, Table, table_account
from integration.transport import Host, Transport
from sandbox.azure import azurite
from sandbox.bench import proc
from sandbox.client import eventually
from sandbox.machine.ports import Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY, TOOLS
from sandbox.running.endpoints import storage_connection
from tests.contract.sandbox.differences import listed

_LONG, _WRITES = 20_000, 150


@pytest.mark.skipif(not proc.MEASURABLE, reason="reads /proc, which only Linux has")
async def test_a_write_costs_no_more_in_a_long_partition(tmp_path: Path) -> None:
    """By itself Azurite goes through the whole partition: three times the cost and more in one of 20,000 rows."""
    ports = Ports.free()
    supervisor = Supervisor(tmp_path, REPOSITORY)
    command = tuple(azurite.installed(TOOLS, print).command(ports, None))
    ready = HttpProbe(f"http://127.0.0.1:{ports.table}/", (400, 403))
    supervisor.run([Program("azurite", command, ready, stop_seconds=0.5)])
    account = table_account(connection_string=storage_connection(ports), account_name=None)
    transport = Transport([Host(account.endpoint)], clock=SystemClock())
    try:
        pid = supervisor.pid("azurite")
        assert pid is not None
        table = Table(account, transport, "rows")
        await table.merge_all([_row("long", number) for number in range(_LONG)])
        short = await _cost(pid, lambda number: table.merge(_row(f"own {number}", number)))
        long = await _cost(pid, lambda number: table.merge(_row("long", _LONG + number)))
        assert long < 2 * short
        found = await table.get("long", "00004711")
        assert found is not None
        assert found.entity["PartitionKey"] == "long"
        assert await table.get("own 4711", "00004711") is None
    finally:
        await transport.aclose()
        supervisor.stop()


_REMOVALS = """
const loki = require("lokijs");
const rows = new loki("extents.db").addCollection("extents", { indices: ["id"] });
for (let number = 0; number < 100; number++) rows.insert({ id: `extent ${number}`, half: number % 2 });
let sorted = 0;
const sort = rows.ensureAllIndexes;
rows.ensureAllIndexes = function (...all) { sorted += 1; return sort.apply(this, all); };
rows.findAndRemove({ id: "extent 7" });
rows.findAndRemove({ id: "never there" });
const one = { sorted, left: rows.count(), found: rows.find({ id: "extent 7" }).length };
rows.findAndRemove({ half: 0 });
console.log(JSON.stringify({ one, left: rows.count(), found: rows.find({ id: "extent 9" }).length }));
"""


_SAVES = """
const loki = require("lokijs");
let now = 0, saved = 0;
performance.now = () => now;
const adapter = { saveDatabase: (name, text, done) => { saved += 1; now += 2000; done(null); } };
const store = new loki("tables.db", { adapter, autosave: true, autosaveInterval: 1000000 });
const rows = store.addCollection("rows");
const seen = [store.autosaveDirty()];
store.saveDatabase(() => {
  rows.insert({ id: 1 });
  now += 17999;
  seen.push(store.autosaveDirty());
  now += 1;
  seen.push(store.autosaveDirty());
  now -= 1;
  store.close(() => console.log(JSON.stringify({ seen, saved })));
});
"""


def test_to_remove_one_entity_does_not_sort_the_whole_table(tmp_path: Path) -> None:
    """Azurite removes what is left of overwritten blobs one by one: with many of them, it answered nobody meanwhile."""
    said = _script(tmp_path, _REMOVALS)
    assert said == {"one": {"sorted": 0, "left": 99, "found": 0}, "left": 49, "found": 1}


def test_to_write_all_tables_takes_a_tenth_of_the_time_at_most(tmp_path: Path) -> None:
    """It took two seconds: it rests for eighteen then, and is written once more when the store is closed meanwhile."""
    assert _script(tmp_path, _SAVES) == {"seen": [True, False, True], "saved": 2}


def _script(folder: Path, text: str) -> Any:
    """What a script for node prints, as JSON; it is started as Azurite is."""
    installed = azurite.installed(TOOLS, print)
    node, launcher, script, *_ = installed.command(Ports.free(), None)
    (folder / "node_modules").symlink_to(next(it for it in Path(script).parents if it.name == "node_modules"))
    file = folder / "script.js"
    file.write_text(text, encoding="utf-8")
    said = subprocess.run([node, launcher, str(file)], check=True, capture_output=True, text=True)  # noqa: S603 -- ours
    return json.loads(said.stdout)


@pytest.mark.skipif(not proc.MEASURABLE, reason="reads /proc, which only Linux has")
def test_a_reader_that_goes_away_leaves_no_file_open(tmp_path: Path) -> None:
    """By itself Azurite opens a file for each, until it can open no more and answers every request with 500."""
    ports = Ports.free()
    supervisor = Supervisor(tmp_path, REPOSITORY)
    command = tuple(azurite.installed(TOOLS, print).command(ports, tmp_path / "data"))
    ready = HttpProbe(f"http://127.0.0.1:{ports.blob}/", (400, 403))
    supervisor.run([Program("azurite", command, ready, stop_seconds=0.5)])
    try:
        with BlobServiceClient.from_connection_string(storage_connection(ports)) as account:
            blob = account.create_container("large", public_access="blob").upload_blob("one", b"x" * 8_000_000)
            for _ in range(20):
                with requests.get(blob.url, stream=True, timeout=10) as answer:
                    assert answer.raw.read(10) == b"x" * 10
        files = Path(f"/proc/{supervisor.pid('azurite')}/fd")
        eventually(lambda: _open(files) < 5, within=30, what="the end of the reading")
    finally:
        supervisor.stop()


def _open(files: Path) -> int:
    """How many files of blobs a process has open."""
    count = 0
    for file in files.iterdir():
        with suppress(OSError):  # closed meanwhile
            count += "__blobstorage__" in str(file.readlink())
    return count


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the blobs of an Azurite that was started as the sandbox starts it."""
    ports = Ports.free()
    supervisor = Supervisor(tmp_path_factory.mktemp("azurite"), REPOSITORY)
    command = tuple(azurite.installed(TOOLS, print).command(ports, None))
    ready = HttpProbe(f"http://127.0.0.1:{ports.blob}/", (400, 403))
    supervisor.run([Program("azurite", command, ready, stop_seconds=0.5)])
    yield f"http://127.0.0.1:{ports.blob}"
    supervisor.stop()


def any_version(blobs: str) -> None:
    answer = requests.get(f"{blobs}/devstoreaccount1?comp=list", headers={"x-ms-version": "2099-01-01"}, timeout=10)
    assert answer.status_code == 403, "it asks for the signature, and not for another version"


def no_entra(blobs: str) -> None:
    headers = {"x-ms-version": "2023-11-03", "Authorization": "Bearer x.y.z"}
    answer = requests.get(f"{blobs}/devstoreaccount1?comp=list", headers=headers, timeout=10)
    assert answer.status_code in {401, 403}
    assert "authorization_uri" not in answer.headers.get("WWW-Authenticate", "")


def one_account(blobs: str) -> None:
    answer = requests.get(f"{blobs}/another?comp=list", headers={"x-ms-version": "2023-11-03"}, timeout=10)
    assert answer.status_code in {400, 403, 404}


def no_limits(blobs: str) -> None:
    answers = {requests.get(f"{blobs}/devstoreaccount1?comp=list", timeout=10).status_code for _ in range(100)}
    assert 503 not in answers


DIFFERENCES: dict[str, Callable[[str], None]] = {
    "an unknown `x-ms-version` is refused": any_version,
    "Entra ID tokens": no_entra,
    "several accounts": one_account,
    "requests are limited (503 ServerBusy)": no_limits,
}


def test_the_page_lists_the_differences_that_are_tried_here() -> None:
    assert listed("sandbox.md", "### Known differences of Azurite") == list(DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_listed_difference_is_there(blobs: str, difference: str) -> None:
    """When this fails because Azurite now does it: take the row off the page and out of this list."""
    DIFFERENCES[difference](blobs)


def _row(partition: str, number: int) -> Entity:
    return {"PartitionKey": partition, "RowKey": f"{number:08}", "eventId": "x" * 45}


async def _cost(pid: int, write: Callable[[int], Awaitable[None]]) -> float:
    before = proc.cpu_seconds(pid)
    for number in range(_WRITES):
        await write(number)
    return proc.cpu_seconds(pid) - before
