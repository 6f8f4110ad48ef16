"""Subscribers are told of every event, at least once, whatever becomes of the workers and of their receivers."""

import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import Any

import requests

from sandbox.client import eventually
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.scenario import Run, Scenario
from tests.receiver import Receiver, receiving

_PER_SECOND = 10.0
_SLOW_SECONDS = 0.5


def kill_deliveries(run: Run) -> None:
    """A host with the deliveries is killed again and again, and receivers refuse, are slow, and are away for a while.

    What a dead worker was delivering stays locked for a minute; the receiver may have it, and gets it once more.
    """
    events, kills = run.size(300, 3_000), run.size(6, 40)
    with running(run.folder / "sandbox") as bench, ExitStack() as stack:
        bench.add_workers(1)
        receiver = stack.enter_context(receiving())
        away = ExitStack()
        other = away.enter_context(receiving())
        port = int(other.url.rpartition(":")[2].partition("/")[0])
        for it in (receiver, other):
            _subscribe(bench, it)
        sent: list[str] = []
        posting = threading.Thread(target=_post, args=(bench, events, sent))
        posting.start()
        for number in range(1, kills + 1):
            while len(sent) < number * events / (kills + 1) and posting.is_alive():
                run.show(len(sent), f"{number - 1} of {kills} kills", total=events)
                time.sleep(0.05)
            _disturb(number, receiver)
            if number == kills // 3:
                away.close()
            victim = bench.workers[number % 2]
            bench.sandbox.processes.kill(victim)
            bench.sandbox.processes.start(victim)
        posting.join()
        receiver.slow_seconds = 0.0
        back = stack.enter_context(receiving(port))
        eventually(lambda: not _missing(sent, receiver), within=300, what="a notification of each event")
        eventually(lambda: not _missing(sent, other, back), within=300, what="a notification of each event, after all")
    told = Counter(it["eventId"] for it in receiver.notifications)
    run.figure(events=len(sent), kills=kills, notifications=sum(told.values()))
    run.figure(told_more_than_once=sum(count > 1 for count in told.values()), requests=len(receiver.headers))
    ids = {it["webhook-id"] for it in receiver.headers}
    run.demand(len(sent) == events, f"{len(sent)} events were accepted, not {events}")
    run.demand(not _missing(sent, receiver), "not every event was told")
    run.demand(not _missing(sent, other, back), "not every event was told to the receiver that was away")
    run.demand(len(ids) == len(sent), f"{len(ids)} ids of notifications for {len(sent)} events")


def _subscribe(bench: Bench, receiver: Receiver) -> None:
    answer = requests.post(
        f"{bench.endpoints.functions}/api/subscriptions",
        json={"url": receiver.url, "tables": ["lead"]},
        headers={"x-functions-key": bench.endpoints.plugin_key},
        timeout=30,
    )
    answer.raise_for_status()


def _post(bench: Bench, events: int, sent: list[str]) -> None:
    """Rows of a table that no flow handles: their events end at once."""
    app = bench.client().app
    for number in range(events):
        row: dict[str, Any] = {"table": "lead", "id": f"a0000000-0000-4000-8000-{number:012}", "message": "Update"}
        answer = app.post_row({**row, "rowVersion": number + 1, "time": "2026-11-26T12:01:47Z"})
        answer.raise_for_status()
        sent.append(answer.json()["eventId"])
        time.sleep(1 / _PER_SECOND)


def _disturb(number: int, receiver: Receiver) -> None:
    receiver.answers += [500, 503, 404] * 3
    receiver.slow_seconds = _SLOW_SECONDS if number % 2 else 0.0


def _missing(sent: list[str], *receivers: Receiver) -> set[str]:
    return set(sent) - {it["eventId"] for receiver in receivers for it in [*receiver.notifications]}


SCENARIOS = [
    Scenario(
        "webhook-kills",
        f"{WORKER} is killed while it delivers webhooks, and receivers refuse, are slow and are away: all are told.",
        3,
        12,
        kill_deliveries,
    ),
]
