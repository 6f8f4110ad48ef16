"""People who change rows in Dataverse, and a sender that posts webhooks directly; both insist on an answer."""

import json
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import requests

from sandbox.client import Client
from tests.books.history import Answer
from tests.chaos.app.changes import Change
from tests.end_to_end.journeys import context_of

OWN_TAG = "dataverse-integration"
_PAUSE = 0.1
_GIVE_UP = 60.0
_MESSAGES = {"create": "Create", "update": "Update"}


def insist(do: Callable[[], Any]) -> Any:
    """Repeat a request until the other side accepts it; a refusal (4xx) because it was done already counts."""
    deadline = time.monotonic() + _GIVE_UP
    while True:
        try:
            return do()
        except requests.HTTPError as refused:
            status = refused.response.status_code
            if status < 500 and status != requests.codes.too_many_requests:
                return None
            failure: Exception = refused
        except requests.RequestException as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure
        time.sleep(_PAUSE)


def post_once(client: Client, record: str, body: bytes) -> Answer | None:
    """Post a webhook and do not insist: the intake's answer, None where it did not accept."""
    try:
        answer = client.app.post_webhook(body)
    except requests.RequestException:
        return None
    return _accepted(record, answer) if answer.status_code == requests.codes.accepted else None


def _accepted(record: str, answer: requests.Response) -> Answer:
    said = answer.json()
    return Answer(said["eventId"], record, own=False, status=said["status"])


class Sender(threading.Thread):
    """Posts webhooks in random order, each until the intake has answered 202; `answers` are the intake's."""

    def __init__(self, client: Client, rng: random.Random) -> None:
        super().__init__(name="sender", daemon=True)
        self._client = client
        self._rng = rng
        self._waiting: list[tuple[str, bytes]] = []
        self._given: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._done = threading.Event()
        self.answers: list[Answer] = []
        self.refused: list[str] = []

    def post(self, record: str, body: bytes) -> None:
        """Post it some time."""
        self._given.put((record, body))

    def finish(self) -> None:
        """Wait until all is posted."""
        self._done.set()
        self.join()

    def run(self) -> None:
        while not (self._done.is_set() and self._given.empty() and not self._waiting):
            while not self._given.empty():
                self._waiting.append(self._given.get())
            if self._waiting:
                self._post(self._waiting.pop(self._rng.randrange(len(self._waiting))))
            else:
                time.sleep(0.01)

    def _post(self, letter: tuple[str, bytes]) -> None:
        record, body = letter
        try:
            answer = self._client.app.post_webhook(body)
        except requests.RequestException:
            self._waiting.append(letter)
            time.sleep(_PAUSE)
            return
        if answer.status_code == requests.codes.accepted:
            self.answers.append(_accepted(record, answer))
        elif answer.status_code == requests.codes.service_unavailable:
            self._waiting.append(letter)
            time.sleep(_PAUSE)
        else:
            self.refused.append(f"{record}: {answer.status_code} {answer.text}")


class People:
    """Make changes one after the other, about `rate` a second."""

    def __init__(self, client: Client, sender: Sender, *, rate: float) -> None:
        self._client = client
        self._sender = sender
        self._pause = 1 / rate

    def make(self, changes: Iterable[Change]) -> list[str]:
        """Make all changes, and post the webhooks of those that no step reports; returns the changed records."""
        records: dict[str, None] = {}
        for change in changes:
            insist(partial(self._make, change))
            records[change.record] = None
            body = context_about(change) if change.copies else b""
            for _ in range(change.copies):
                self._sender.post(change.record, body)
            time.sleep(self._pause)
        return list(records)

    def _make(self, change: Change) -> None:
        dataverse, silent = self._client.dataverse, bool(change.copies)
        if change.action == "create":
            dataverse.create(change.table, change.columns, change.row_id, silent=silent)
        elif change.action == "update":
            dataverse.update(change.table, change.row_id, change.columns, silent=silent)
        elif change.action == "win":
            dataverse.win(change.row_id)
        else:
            dataverse.delete(change.table, change.row_id)


def context_about(change: Change) -> bytes:
    """What Dataverse would have sent: an event of its own, with the columns' names but not their values."""
    context = context_of(
        "webhook_async_update_account_2019",
        PrimaryEntityName=change.table,
        PrimaryEntityId=change.row_id,
        MessageName=_MESSAGES[change.action],
        OperationCreatedOn=f"/Date({int(time.time())}000+0000)/",  # Dataverse gives whole seconds
        **{name: str(uuid.uuid4()) for name in ("OperationId", "RequestId", "CorrelationId")},
    )
    columns = [name.partition("@")[0].removesuffix("_account") for name in change.columns]
    context["InputParameters"][0]["value"] |= {
        "Id": change.row_id,
        "LogicalName": change.table,
        "Attributes": [{"key": name, "value": None} for name in columns],
    }
    return json.dumps(context).encode()
