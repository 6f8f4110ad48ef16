"""Waits until everything is quiet, then notes what can be seen from outside of how all events ended."""

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import requests

from sandbox.client import Client, eventually
from tests.books.history import Answer, History, Json
from tests.chaos.app.bench import Bench
from tests.chaos.app.changes import EURO
from tests.chaos.app.checker import FINAL
from tests.chaos.app.model import NO_CURRENCY
from tests.chaos.app.people import OWN_TAG, insist

_ARCHIVED_SECONDS = 180.0
"""A killed host keeps its partitions for two minutes; its successor looks every 30 seconds for free ones."""
_SHOWN = 300
"""Events whose status is also asked for over HTTP."""

Show = Callable[[int, str], None]


def silent(_done: int, _note: str) -> None:
    """Show nothing."""


def observe(
    bench: Bench,
    history: History,
    records: list[str],
    *,
    seen: int = 0,
    within: float = 60.0,
    show: Show = silent,
) -> None:
    """Wait until all is quiet, then write down what became of everything that was published after event `seen`.

    `within` seconds after the work queue has become shorter for the last time, everything has to have ended.
    """
    client = bench.client()
    history.currencies |= {EURO: "EUR", client.dataverse.currency(NO_CURRENCY, "No currency"): NO_CURRENCY}
    history.answers += published(client, seen)
    _wait_for_the_queue(client, within, show)
    _wait_for_the_end(bench, client, history, within)
    show(0, "the archive fills")
    _wait_for_the_archive(client, history)
    show(0, "the books are read")
    tables = ("account", "opportunity")
    rows = {f"{table}:{row[f'{table}id']}": row for table in tables for row in client.dataverse.rows(table)}
    history.rows = {record: rows.get(record) for record in records}
    history.queue = client.broker.entities()["queues"]["work"]
    history.effects = client.erp.effects()
    history.charges = client.credit.charges()
    history.dead_letters = [letter.message_id for letter in client.broker.dead_letters()]
    history.problems = bench.tables().problems()


def published(client: Client, seen: int) -> Iterator[Answer]:
    """The intake's answers to what steps have published; what it did not take is sent again, as by an administrator."""
    eventually(lambda: _is_quiet(client), within=120, what="quiet in Dataverse")
    while page := insist(partial(client.dataverse.events, after=seen, limit=1_000)):
        for event in page:
            if event["table"] in {"account", "opportunity"}:
                yield _answer(client, event)
        seen = page[-1]["seq"]


def _answer(client: Client, event: Json) -> Answer:
    record = f"{event['table']}:{event['id']}"
    body, last = event["body"], event["attempts"][-1] if event["attempts"] else {}
    if last.get("status") == requests.codes.accepted:
        said = json.loads(last["answer"])
    else:
        said = eventually(partial(_take, client, body), within=30, what=f"202 for {record}")
    return Answer(said["eventId"], record, own=_tag(body) == OWN_TAG, status=said["status"])


def _is_quiet(client: Client) -> bool:
    try:
        client.dataverse.quiet()
    except requests.RequestException:
        return False
    return True


def _take(client: Client, body: Json) -> Json:
    answer = client.app.post_webhook(body)
    said: Json = answer.json() if answer.status_code == requests.codes.accepted else {}
    return said


def _tag(body: Json) -> str | None:
    return next((it["value"] for it in body["SharedVariables"] if it["key"] == "tag"), None)


def waiting(client: Client) -> int:
    """The messages that the work queue has, also those that are locked or scheduled."""
    queue = client.broker.entities()["queues"]["work"]
    return int(queue["active"] + queue["locked"] + queue["scheduled"])


def _wait_for_the_queue(client: Client, within: float, show: Show) -> None:
    """Until it is empty, or has become no shorter for so long."""
    least, deadline = waiting(client), time.monotonic() + within
    while (left := waiting(client)) and time.monotonic() < deadline:
        show(0, f"{left} messages are left in the queue")
        if left < least:
            least, deadline = left, time.monotonic() + within
        time.sleep(0.2)


def _wait_for_the_end(bench: Bench, client: Client, history: History, within: float) -> None:
    """Until the ledger says of every event that it has ended.

    Rows for people are written behind the event, and a kill can lose them: whoever asks for the event then has the app
    write it again from the record. So everything that does not seem to have ended is asked for.
    """
    deadline, tables = time.monotonic() + within, bench.tables()
    accepted = list(history.accepted)
    while True:
        rows = tables.events()
        history.operations = {answer.event_id: _operation(rows.get(answer.event_id)) for answer in history.answers}
        open_ones = [it for it in accepted if (history.operations[it] or {}).get("state") not in FINAL]
        if not open_ones or time.monotonic() > deadline:
            break
        for event_id in open_ones:
            client.app.operation(event_id)
        time.sleep(0.5)
    some = random.Random(history.seed).sample(accepted, min(_SHOWN, len(accepted)))  # noqa: S311 -- repeatable
    shown = {event_id: client.app.operation(event_id) for event_id in {*some, *tables.problems()}}
    history.shown = {event_id: it["state"] for event_id, it in shown.items() if it is not None}


def _operation(row: Json | None) -> Json | None:
    if row is None:
        return None
    return {"state": row.get("state") or "accepted", "reason": row.get("reason"), "detail": row.get("detail")}


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
            break
        time.sleep(0.3)
    history.archived = [
        {name: it.get(name) for name in ("partition", "sequenceNumber", "id")}
        | {"state": (it.get("data") or {}).get("state")}
        for it in lines
    ]
