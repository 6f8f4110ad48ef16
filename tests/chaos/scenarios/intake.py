"""The intake alone: it answers whatever it is sent, and what it has accepted is on the queue, also after a kill."""

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any, Final

import requests

from sandbox.bench import proc
from sandbox.repository import REPOSITORY
from tests.chaos.app.bench import WORKER, Bench, running
from tests.chaos.app.strange import Job, Sent
from tests.chaos.scenario import Run, Scenario

INTAKE: Final = "host-http"
_PROCESSES: Final = 2
_PARTS: Final = 20
"""Between them it is seen how far a run is."""
_LONGEST: Final = 150 * 60.0
_EVENT_ID: Final = re.compile(rb"\d{12}-[0-9a-f]{32}")
_GROWTH_MIB: Final = 40


def send_strange_inputs(run: Run) -> None:
    """Bytes, headers, numbers, dates, depth, double keys and encodings of a seed, from two processes.

    Nothing takes events off the queue meanwhile. The first tenth warms the intake up; from then on its memory has to
    stay. A run ends after 150 minutes, with as many inputs as it has sent by then.
    """
    count, ended = run.size(5_000, 1_000_000), time.monotonic() + _LONGEST
    with running(run.folder / "sandbox") as bench:
        bench.sandbox.processes.stop_one(WORKER)
        memory, sent = [_memory(bench)], []
        for part in range(_PARTS):
            if part == _PARTS // 10:
                memory.append(_memory(bench))
            if time.monotonic() < ended:
                run.show(part * count // _PARTS, "inputs", total=count)
                sent += _send(run, bench, part * count // _PARTS, (part + 1) * count // _PARTS, until=ended)
        memory.append(_memory(bench))
        accepted = {event_id for it in sent for event_id in it.accepted}
        queued = _queued(bench)
        health = bench.client().app.health().status_code
    statuses = Counter[str]()
    for it in sent:
        statuses.update(it.statuses)
    start, warm, end = (round(it) for it in memory)
    run.figure(
        inputs=sum(statuses.values()), **{f"answers_{status}": many for status, many in sorted(statuses.items())}
    )
    run.figure(accepted=len(accepted), accepted_and_not_queued=len(accepted - queued))
    run.figure(MiB_at_the_start=start, MiB_after_a_tenth=warm, MiB_at_the_end=end)
    odd = [line for it in sent for line in it.odd]
    run.demand(not odd, f"{len(odd)} inputs had another answer than 2xx, 4xx and 503: {odd[:10]}")
    run.demand(accepted <= queued, f"{len(accepted - queued)} accepted events are not on the queue")
    run.demand(len(accepted) > run.figures["inputs"] / 100, f"only {len(accepted)} events were accepted")
    run.demand(end <= warm + _GROWTH_MIB, f"the intake has grown from {warm} to {end} MiB")
    run.demand(health == 200, f"the app answers {health} when asked whether it is well")


def kill_between_publish_and_answer(run: Run) -> None:
    """The intake is killed again and again while events are sent to it: whoever has got a 202 finds it kept.

    Events that are on the queue though nobody has got an answer for them show that kills have come in between.
    """
    kills = run.size(5, 100)
    with running(run.folder / "sandbox") as bench:
        bench.sandbox.processes.stop_one(WORKER)
        senders = [_Sender(bench, number) for number in range(8)]
        for sender in senders:
            sender.start()
        for number in range(kills):
            run.show(number, f"{sum(len(it.accepted) for it in senders)} answers", total=kills)
            before = sum(len(it.accepted) for it in senders)
            while sum(len(it.accepted) for it in senders) < before + 40:
                time.sleep(0.02)
            bench.sandbox.processes.kill(INTAKE)
            bench.sandbox.processes.start(INTAKE)
        for sender in senders:
            sender.done.set()
        for sender in senders:
            sender.join()
        accepted = {event_id for it in senders for event_id in it.accepted}
        queued = _queued(bench)
    run.figure(kills=kills, answers_of_202=len(accepted), of_which_not_on_the_queue=len(accepted - queued))
    run.figure(on_the_queue_and_never_answered=len(queued - accepted))
    run.demand(accepted <= queued, f"{len(accepted - queued)} events were answered with 202 and are not on the queue")
    run.demand(queued - accepted, "no kill came between the publishing of an event and its answer")


class _Sender(threading.Thread):
    """Sends one event after the other; an event whose answer is lost is not sent again."""

    def __init__(self, bench: Bench, number: int) -> None:
        super().__init__(daemon=True)
        self._url, self._key = f"{bench.endpoints.functions}/api/events", bench.endpoints.plugin_key
        self._number = number
        self.accepted: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        session = requests.Session()
        session.trust_env = False
        count = 0
        while not self.done.is_set():
            count += 1
            body = {
                "EventName": "AccountUpdated",
                "RecordId": f"{self._number:08x}-0000-4000-8000-{count:012x}",
                "Timestamp": "2026-11-26T12:01:47Z",
            }
            try:
                answer = session.post(self._url, json=body, headers={"x-functions-key": self._key}, timeout=30)
            except requests.RequestException:
                time.sleep(0.05)
                continue
            if answer.status_code == requests.codes.accepted:
                self.accepted.append(answer.json()["eventId"])


def _send(run: Run, bench: Bench, first: int, last: int, *, until: float) -> list[Sent]:
    """Send inputs number `first` to `last` from several processes."""
    keys = [bench.endpoints.webhook_key, bench.endpoints.plugin_key, bench.endpoints.erp_events_key]
    jobs = [
        Job(
            url=bench.endpoints.functions,
            keys=keys,
            seed=run.seed,
            first=first + number,
            step=_PROCESSES,
            count=(last - first) // _PROCESSES,
            seconds=until - time.monotonic(),
        )
        for number in range(_PROCESSES)
    ]
    processes = [_process(job) for job in jobs]
    return [_result(process) for process in processes]


def _process(job: Job) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.app.strange"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(job)))
    process.stdin.close()
    process.stdin = None
    return process


def _result(process: "subprocess.Popen[str]") -> Sent:
    said, _ = process.communicate()
    found: dict[str, Any] = json.loads(said)
    return Sent(**found)


def _memory(bench: Bench) -> float:
    """What the host and its worker hold, in MiB."""
    pid = bench.sandbox.processes.pid(INTAKE)
    assert pid is not None
    return sum(proc.resident_mib(it) for it in proc.descendants(pid))


def _queued(bench: Bench) -> set[str]:
    """The ids of all events on the queue, as the broker has them on disk."""
    file = bench.sandbox.state.data / "broker.sqlite"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT content FROM message WHERE queue LIKE 'work%'")
        return {found.decode() for (content,) in rows for found in _EVENT_ID.findall(content)}


SCENARIOS = [
    Scenario("intake", "The intake gets inputs of every kind; its memory stays.", 3, 150, send_strange_inputs),
    Scenario(
        "intake-kills",
        "The intake is killed between publishing an event and answering.",
        2,
        20,
        kill_between_publish_and_answer,
    ),
]
