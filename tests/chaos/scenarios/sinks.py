"""Every sink gets every settled event, whatever becomes of the hosts, of storage and of what the sinks write to."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.eventhub import EventData, EventHubProducerClient
from azure.storage.blob import BlobServiceClient

from sandbox.analytics.opened import NothingFoundError, Opened
from sandbox.bench.proc import MEASURABLE, resident_mib
from sandbox.client import Client, eventually
from sandbox.client.archive import Archive
from sandbox.commands.analytics import sandbox_table
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.scenario import Run, Scenario
from tests.contract.sandbox.azure.broker.amqp_client import AmqpClient

_BATCH = 100
_BAD = b"this is no settled event"
Places = Sequence[tuple[str, object]]
"""The events of a sink in the order in which it has them: the event's id, and what its readers know a row by."""


def fault_sinks(run: Run) -> None:
    """Events are published while hosts are killed and storage goes away; services refuse, and lose answers.

    One event in a hundred is none: it is set aside by each sink.
    """
    events, kills = run.size(3_000, 100_000), run.size(6, 60)
    with running(run.folder / "sandbox", sinks=True) as bench:
        bench.add_workers(1)
        client = bench.client()
        wanted: list[str] = []
        posting = threading.Thread(target=_publish, args=(bench, events, wanted))
        posting.start()
        for number in range(1, kills + 1):
            while len(wanted) < number * events / (kills + 1) and posting.is_alive():
                run.show(len(wanted), f"{number - 1} of {kills} kills", total=events)
                time.sleep(0.05)
            _disturb(client, number)
            _strike(bench, number)
        posting.join()
        published, patience = time.monotonic(), 300 + events / 50
        for stand_in in client.sinks.values():
            stand_in.clear_faults()
        readers = _readers(bench, client, len(wanted), run.folder)
        lags: dict[str, float] = {}
        found: dict[str, Places] = {}
        for name, read in readers.items():
            run.show(len(lags), f"waiting for {name}", total=len(readers))
            look = partial(_complete, read, wanted, events / 20_000)
            found[name] = eventually(look, within=patience, what=f"every event in {name}")
            lags[name] = time.monotonic() - published
        aside = eventually(
            lambda: _complete_aside(bench, events // _BATCH * (len(readers))), within=patience, what="all set aside"
        )
        if MEASURABLE:
            pids = [pid for name in bench.workers if (pid := bench.sandbox.processes.pid(name)) is not None]
            run.figure(most_MiB_of_a_host=round(max(map(resident_mib, pids))))
    run.figure(events=len(wanted), kills=kills, set_aside=aside)
    for name, places in found.items():
        _judge(run, name, places, wanted)
    run.figure(**{f"seconds_behind_{name}": round(lag, 1) for name, lag in lags.items()})


def _judge(run: Run, name: str, places: Places, wanted: Sequence[str]) -> None:
    """Readers drop rows of the same identity; after that each event is there once."""
    once = Counter(event_id for event_id, _ in {identity: (event_id, 0) for event_id, identity in places}.values())
    lost, double = len(set(wanted) - once.keys()), sum(count - 1 for count in once.values())
    run.figure(**{f"delivered_twice_{name}": len(places) - once.total()})
    for what, count in (("missing in any sink", lost), ("twice for a reader of any sink", double)):
        run.figures[what] = run.figures.get(what, 0) + count
    run.demand(not lost, f"{name} lacks {lost} events")
    run.demand(not double, f"{name} has {double} events twice by the rule of its readers")


def _publish(bench: Bench, events: int, wanted: list[str]) -> None:
    """As the worker publishes, and one body in each hundred that is no event."""
    client = EventHubProducerClient.from_connection_string(
        bench.endpoints.eventhubs, eventhub_name="integration-events"
    )
    with client:
        for start in range(0, events, _BATCH):
            batch, ids = client.create_batch(partition_id=str(start // _BATCH % 4)), []
            for _ in range(_BATCH):
                event_id = f"{datetime.now(UTC):%Y%m%d%H%M}-{uuid.uuid4().hex}"
                batch.add(EventData(json.dumps(_document(event_id)).encode()))
                ids.append(event_id)
            batch.add(EventData(_BAD))
            client.send_batch(batch)
            wanted += ids


def _document(event_id: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    data = {
        "eventId": event_id,
        "correlationId": str(uuid.uuid4()),
        "organisation": str(uuid.uuid4()),
        "table": "account",
        "recordId": str(uuid.uuid4()),
        "message": "Update",
        "changedColumns": ["name"],
        "state": "completed",
        "reason": None,
        "attempts": 1,
        "replayOf": None,
        "operationTime": now,
        "acceptedTime": now,
        "settledTime": now,
        "effects": {"customer": {"number": "C-1"}},
    }
    document = {"specversion": "1.0", "id": event_id, "source": "/organizations/x", "type": "integration.settled"}
    return {**document, "time": now, "data": data}


def _strike(bench: Bench, number: int) -> None:
    """Kill a host, or stop storage every third time: killed, Azurite would forget what it wrote just before."""
    processes = bench.sandbox.processes
    if number % 3 == 0:
        processes.stop_one("azurite")
        processes.start("azurite")
        return
    victim = bench.workers[number % 2]
    processes.kill(victim)
    processes.start(victim)


def _disturb(client: Client, number: int) -> None:
    """Refusals, and answers that are lost after the work was done: the sink has to send again what is there already."""
    grid, logs = client.sinks["event-grid"], client.sinks["log-analytics"]
    grid.add_fault("POST /api/events", status=503, times=3)
    grid.add_fault("POST /api/events", drop=True, after=True, times=1)
    logs.add_fault("POST /dataCollectionRules", status=429, headers={"Retry-After": "1"}, times=2)
    logs.add_fault("POST /dataCollectionRules", drop=True, after=True, times=1)
    if number % 2:
        logs.add_fault("POST /dataCollectionRules", status=403, times=2)


def _readers(bench: Bench, client: Client, events: int, folder: Path) -> Mapping[str, Callable[[], Places]]:
    def files(archive: Archive, name: str) -> Places:
        try:
            archive.download(folder / name)
            with Opened.of_folder(folder / name) as opened:
                asked = "SELECT event_id, partition || ':' || sequence_number FROM read"
                return [(str(event_id), place) for event_id, place in opened.ask("", asked).rows if event_id]
        except (NothingFoundError, ResourceNotFoundError):
            return []

    def delta() -> Places:
        """Readers of the table drop nothing: each row that is there counts."""
        try:
            with sandbox_table(bench.endpoints.storage) as opened:
                found = opened.ask("", "SELECT event_id FROM read").rows
                return [(str(event_id), number) for number, (event_id,) in enumerate(found)]
        except NothingFoundError:
            return []

    def hub() -> Places:
        with AmqpClient(bench.endpoints.ports["amqp"]) as amqp:
            for partition in range(4):
                amqp.receiver(f"fabric/ConsumerGroups/$Default/Partitions/{partition}", credit=2 * events)
            amqp.wait(lambda: len(amqp.received) >= 2 * events, 5 + events / 10_000)
            bodies = [delivery.payload for _, delivery in amqp.received]
        documents = [json.loads(body[body.index(b'{"') :]) for body in bodies]
        return [(it["id"], (it["partition"], it["sequenceNumber"])) for it in documents]

    return {
        "archive": partial(files, Archive(bench.endpoints.storage), "archive"),
        "lake": partial(files, Archive(bench.endpoints.storage, "lake"), "lake"),
        "delta": delta,
        "event-grid": lambda: [(it["data"]["eventId"], it["id"]) for it in client.sinks["event-grid"].settled()],
        "log-analytics": lambda: [
            (it["EventId"], (it["HubPartition"], it["SequenceNumber"])) for it in client.sinks["log-analytics"].table()
        ],
        "fabric": hub,
    }


def _complete(read: Callable[[], Places], wanted: Sequence[str], pause: float) -> Places | None:
    """What a sink has once it has every event; None before, and while storage does not answer.

    To read all of it takes time that the sinks lack, so there is a pause before it is read again.
    """
    time.sleep(pause)
    try:
        places = read()
    except AzureError:
        return None
    return places if {event_id for event_id, _ in places} >= set(wanted) else None


def _complete_aside(bench: Bench, wanted: int) -> int | None:
    """How many files of rows that were set aside there are, once there are enough."""
    container = BlobServiceClient.from_connection_string(bench.endpoints.storage).get_container_client("set-aside")
    try:
        found = sum(1 for _ in container.list_blob_names())
    except AzureError:
        return None
    return found if found >= wanted else None


SCENARIOS = [
    Scenario(
        "sinks",
        f"{WORKER} is killed and storage goes away while settled events reach six sinks; services refuse, and lose "
        "answers: all sinks have each event once.",
        3,
        30,
        fault_sinks,
    ),
]
