"""EventHubConsumerClient with BlobCheckpointStore on Azurite: processors that share partitions and remember where."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from azure.eventhub import EventData, EventHubConsumerClient, EventHubProducerClient
from azure.eventhub.extensions.checkpointstoreblob import BlobCheckpointStore
from azure.storage.blob import BlobServiceClient

from sandbox.azure import azurite
from sandbox.machine.ports import Ports
from sandbox.machine.process import HttpProbe, Program
from sandbox.machine.supervisor import Supervisor
from sandbox.repository import REPOSITORY
from sandbox.running.endpoints import storage_connection

EVENTS = 20


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an Azurite of the test's own, with a container `checkpoints`."""
    ports, home = Ports.free(), tmp_path_factory.mktemp("azurite")
    (home / "data").mkdir()
    installed = azurite.installed(REPOSITORY / ".sandbox" / "tools", print)
    supervisor = Supervisor(home, REPOSITORY)
    ready = HttpProbe(f"http://127.0.0.1:{ports.blob}/", (400, 403))
    supervisor.run([Program("azurite", tuple(installed.command(ports, home / "data")), ready)])
    connection = storage_connection(ports)
    BlobServiceClient.from_connection_string(connection).create_container("checkpoints")
    yield connection
    supervisor.stop()


class Processor:
    """One instance of an application that reads the hub, and what it has seen."""

    def __init__(self, connection_string: str, storage: str) -> None:
        store = BlobCheckpointStore.from_connection_string(storage, "checkpoints")
        self._client = EventHubConsumerClient.from_connection_string(
            connection_string,
            consumer_group="$Default",
            eventhub_name="balance",
            checkpoint_store=store,
            load_balancing_interval=0.3,
            partition_ownership_expiration_interval=10,
            load_balancing_strategy="greedy",
        )
        self._thread = threading.Thread(target=self._receive)
        self.seen: list[str] = []
        self.partitions: set[str] = set()

    def _receive(self) -> None:
        self._client.receive(
            self._on_event,
            on_partition_initialize=lambda context: self.partitions.add(context.partition_id),
            on_partition_close=lambda context, _: self.partitions.discard(context.partition_id),
            starting_position="-1",
        )

    def _on_event(self, context: Any, event: EventData | None) -> None:
        assert event is not None
        self.seen.append(event.body_as_str())
        context.update_checkpoint(event)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._client.close()
        self._thread.join(20)
        assert not self._thread.is_alive()


def both(first: Processor, second: Processor) -> set[str]:
    """The partitions that are read; while one is handed over, both may think that they have it."""
    return first.partitions | second.partitions


@contextmanager
def running(*processors: Processor) -> Iterator[None]:
    for processor in processors:
        processor.start()
    try:
        yield
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Processor.stop, processors))


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_processors_share_the_partitions_and_resume_from_checkpoints(connection_string: str, storage: str) -> None:
    """Two of four partitions each; what was checkpointed does not come again to the one that takes over."""
    run = uuid.uuid4().hex
    with EventHubProducerClient.from_connection_string(connection_string, eventhub_name="balance") as producer:

        def send(part: str) -> set[str]:
            names = {f"{run}-{part}-{index}" for index in range(EVENTS)}
            for name in names:
                producer.send_batch([EventData(name)])  # to one partition after the other
            return names

        first, second = Processor(connection_string, storage), Processor(connection_string, storage)
        with running(first, second):
            until(lambda: {len(first.partitions), len(second.partitions)} == {2} and len(both(first, second)) == 4)
            before = send("before")
            until(lambda: before <= set(first.seen + second.seen))
        after = send("after")
        third = Processor(connection_string, storage)
        with running(third):
            until(lambda: after <= set(third.seen))
        mine = [name for name in third.seen if name.startswith(run)]
        assert Counter(mine) == Counter(after), "what was checkpointed has come again"
