"""One run: people change rows while the nemesis strikes, then quiet, then what can be seen is written down."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import requests

from sandbox.client import Client, eventually
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import Endpoints
from sandbox.running.registration import steps
from sandbox.running.sandbox import Sandbox
from tests.chaos.app.changes import EURO, Changes
from tests.chaos.app.checker import FINAL
from tests.chaos.app.history import Answer, History, Json
from tests.chaos.app.model import NO_CURRENCY
from tests.chaos.app.nemesis import Nemesis
from tests.chaos.app.people import OWN_TAG, People, Sender, insist

SETTINGS = {
    "RETRY_FIRST_DELAY_SECONDS": "0.3",
    "RETRY_LONGEST_DELAY_SECONDS": "1",
    "RECORD_PACE_SECONDS": "0.05",  # hot records are the point here
    "DATAVERSE_REQUESTS": "1000000",  # the budget of a real environment would make a slow run of it
    "OUTAGE_FIRST_PAUSE_SECONDS": "0.5",
    "OUTAGE_LONGEST_PAUSE_SECONDS": "2",
    "RETRY_MAX_ATTEMPTS": "100000",  # no outage is a reason to give up here
}
_ARCHIVED_SECONDS = 180.0
"""A killed host keeps its partitions for two minutes; its successor looks every 30 seconds for free ones."""


@dataclass(slots=True)
class Bench:
    """A running sandbox, and clients of it: each thread has its own."""

    sandbox: Sandbox
    endpoints: Endpoints = field(init=False)

    def __post_init__(self) -> None:
        self.endpoints = Endpoints.read(self.sandbox.state.endpoints)

    def client(self) -> Client:
        """The sandbox from outside."""
        return Client(self.endpoints)

    def let_write_backs_echo(self) -> None:
        """Make steps fire on every column, so that each write-back comes back to the intake."""
        with sign_in(self.endpoints.dataverse, self.endpoints.dataverse_client) as session:
            for step in steps():
                url = f"{self.endpoints.dataverse}/api/data/v9.2/sdkmessageprocessingsteps({step.id})"
                session.patch(url, json={"filteringattributes": None}, timeout=10).raise_for_status()


Strikes = Callable[[Nemesis, threading.Event], None]


def run(bench: Bench, *, seed: int, changes: int, rate: float, strikes: Strikes, within: float = 60.0) -> History:
    """`strikes` has the nemesis strike until the event tells that people are done; `within` seconds after quiet,
    everything accepted has to have ended.
    """  # noqa: D205 -- one sentence
    rng = random.Random(seed)  # noqa: S311 -- repeatable
    client, history = bench.client(), History(seed)
    seen = client.dataverse.last_event()
    poison = client.dataverse.currency(NO_CURRENCY, "No currency")
    plan = Changes(seed, poison=poison)
    sender = Sender(bench.client(), rng)
    sender.start()
    nemesis, done = Nemesis(bench.sandbox, bench.client(), rng), threading.Event()
    striker = threading.Thread(target=strikes, args=(nemesis, done), name="nemesis", daemon=True)
    striker.start()
    try:
        records = People(client, sender, rate=rate).make(plan.draw(changes))
    finally:
        done.set()
        striker.join()
        nemesis.heal()
    sender.finish()
    assert not sender.refused, sender.refused
    history.poisoned, history.nemesis = plan.poisoned, nemesis.strikes
    history.answers = sender.answers
    observe(bench, client, history, records, seen=seen, within=within)
    return history


def observe(
    bench: Bench, client: Client, history: History, records: list[str], *, seen: int = 0, within: float = 60.0
) -> None:
    """Wait until all is quiet, then write down what became of everything that was published after event `seen`."""
    history.currencies = {
        EURO: "EUR",
        client.dataverse.currency(NO_CURRENCY, "No currency"): NO_CURRENCY,
    }
    history.answers += _published(client, seen)
    _wait_for_the_end(client, history, within)
    _wait_for_the_archive(client, history)
    for record in records:
        table, _, row_id = record.partition(":")
        history.rows[record] = insist(partial(client.dataverse.retrieve, table, row_id))
    history.queue = client.broker.entities()["queues"]["work"]
    history.effects = client.erp.effects()
    history.charges = client.credit.charges()
    history.dead_letters = [letter.message_id for letter in client.broker.dead_letters()]


def _published(client: Client, seen: int) -> Iterator[Answer]:
    """The intake's answers to what steps have published; what it did not take is sent again, as by an administrator."""
    eventually(lambda: _is_quiet(client), within=60, what="quiet in Dataverse")
    for event in insist(lambda: client.dataverse.events(after=seen)):
        record = f"{event['table']}:{event['id']}"
        if event["table"] not in {"account", "opportunity"}:
            continue
        body, last = event["body"], event["attempts"][-1] if event["attempts"] else {}
        own = _tag(body) == OWN_TAG
        if last.get("status") == requests.codes.accepted:
            told = json.loads(last["answer"])
        else:
            told = eventually(partial(_take, client, body), within=30, what=f"202 for {record}")
        yield Answer(told["eventId"], record, own=own, status=told["status"])


def _is_quiet(client: Client) -> bool:
    try:
        client.dataverse.quiet()
    except requests.RequestException:
        return False
    return True


def _take(client: Client, body: Json) -> Json:
    answer = client.app.post_webhook(body)
    told: Json = answer.json() if answer.status_code == requests.codes.accepted else {}
    return told


def _tag(body: Json) -> str | None:
    return next((it["value"] for it in body["SharedVariables"] if it["key"] == "tag"), None)


def _wait_for_the_end(client: Client, history: History, within: float) -> None:
    deadline = time.monotonic() + within
    pending = {answer.event_id for answer in history.answers}
    own = pending - history.accepted.keys()
    while pending:
        for event_id in list(pending):
            found = client.app.operation(event_id)
            history.operations[event_id] = found
            if event_id in own or (found is not None and found["state"] in FINAL):
                pending.discard(event_id)
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


def _wait_for_the_archive(client: Client, history: History) -> None:
    """Until it has all that is in the hub, and every event that has ended is there, or long enough.

    An event has ended before it is published: where the hub is away, a copy of its message publishes it later.
    """
    ended = {event_id for event_id, it in history.operations.items() if it is not None and it["state"] in FINAL}
    deadline = time.monotonic() + _ARCHIVED_SECONDS
    while True:
        hub = client.broker.entities()["hubs"]["integration-events"]
        history.hub = {partition: it["events"] for partition, it in hub.items()}
        lines = client.archive.lines()
        complete = len(lines) == sum(history.hub.values()) and ended <= {line.get("id") for line in lines}
        if complete or time.monotonic() > deadline:
            history.archived = [{name: it.get(name) for name in ("partition", "sequenceNumber", "id")} for it in lines]
            return
        time.sleep(0.3)
