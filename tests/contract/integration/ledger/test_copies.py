"""The ledger's daily copies, on Azurite: one a day, complete, never written over, continued where a run had to end."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient, ContainerClient

from integration.clock import SystemClock
from integration.errors import Transient
from integration.ledger import Ledger
from integration.ledger.copies import BlobCopies, DailyCopy
from integration.ledger.keys import SYSTEMS
from integration.ledger.shared_state import TableState
from integration.ledger.transfer import export, restore, tables
from tests.builders import event


class Noon(SystemClock):
    """A clock on which runs of no length end at once; the day can be set."""

    def __init__(self) -> None:
        self.day = 20

    def now(self) -> datetime:
        return datetime(2026, 11, self.day, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Noon:
    return Noon()


@pytest.fixture
def container(storage: str) -> Iterator[ContainerClient]:
    made = BlobServiceClient.from_connection_string(storage).get_container_client("ledger-copies")
    yield made
    if made.exists():
        made.delete_container()


@pytest.fixture(autouse=True)
async def some_events(ledger: Ledger) -> None:
    """Some hundred entities in the tables of three months, and nothing else."""
    await ledger.table(SYSTEMS).drop()
    for name in await tables(ledger):
        await ledger.table(name).drop()
    for number in range(30):
        await ledger.accept(event(minute=f"2026{number % 3 + 9:02}201905"), urgent=True)


def copy(ledger: Ledger, container: ContainerClient, clock: Noon, **sizes: float) -> DailyCopy:
    """As another instance of the app would make it: nothing is remembered from the last run."""
    state = TableState(ledger.table(SYSTEMS))
    return DailyCopy(ledger, BlobCopies(lambda: container), state, clock, **sizes)  # type: ignore[arg-type] # sizes


def lines_of(container: ContainerClient, name: str) -> list[str]:
    content: bytes = container.download_blob(name).readall()
    return gzip.decompress(content).decode().splitlines()


async def test_a_copy_is_the_export(ledger: Ledger, container: ContainerClient, clock: Noon) -> None:
    """The same lines, in a blob whose name has the time; `ledger import` takes it."""
    assert await copy(ledger, container, clock).run()
    (name,) = container.list_blob_names()
    assert name == "2026-11-20T120000Z.jsonl.gz"
    lines = lines_of(container, name)
    assert lines[1:] == [line async for line in export(ledger, clock)][1:]
    for table in await tables(ledger):
        await ledger.table(table).drop()
    assert (await restore(ledger, lines)).written == len(lines) - 2


async def test_there_is_one_copy_a_day_and_it_is_never_written_over(
    ledger: Ledger, container: ContainerClient, clock: Noon
) -> None:
    """Not even when the ledger, with the note about the copy in it, has been emptied meanwhile."""
    assert await copy(ledger, container, clock).run()
    await ledger.table(SYSTEMS).drop()
    for table in await tables(ledger):
        await ledger.table(table).drop()
    assert await copy(ledger, container, clock).run()
    (name,) = container.list_blob_names()
    assert len(lines_of(container, name)) > 60
    clock.day += 1
    assert await copy(ledger, container, clock).run()
    assert len(list(container.list_blob_names())) == 2


async def test_a_copy_that_takes_longer_than_a_run_goes_on(
    ledger: Ledger, container: ContainerClient, clock: Noon
) -> None:
    """Each run reads a page; the copy is not there before it is complete, and then it is one file."""
    runs = 1
    while not await copy(ledger, container, clock, run_seconds=-1.0, block_characters=1).run():
        assert list(container.list_blob_names()) == []
        runs += 1
        clock.day = 21  # it goes on after midnight too, under the name that it began with
    assert runs > 3
    (name,) = container.list_blob_names()
    assert name.startswith("2026-11-20")
    lines = lines_of(container, name)
    assert lines[1:] == [line async for line in export(ledger, clock)][1:]
    assert json.loads(lines[-1])["entities"] == len(lines) - 2


async def test_blobs_that_cannot_be_reached_are_reported(ledger: Ledger, clock: Noon) -> None:
    """As an error of its own reason, after which the next run tries again."""

    def refused() -> ContainerClient:
        raise HttpResponseError("403")

    daily = DailyCopy(ledger, BlobCopies(refused), TableState(ledger.table(SYSTEMS)), clock)
    with pytest.raises(Transient) as caught:
        await daily.run()
    assert caught.value.reason == "ledger-copies-unavailable"
