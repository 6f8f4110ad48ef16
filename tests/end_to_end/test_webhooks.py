"""Subscribers are told of events that have ended, over real HTTP, at least once, whatever their receivers do."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.client import Client, eventually
from sandbox.running.endpoints import Endpoints
from tests.receiver import Receiver, receiving


class Subscriber:
    """A caller that subscribes, and ends its subscriptions with the test."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._headers = f"{url}/api/subscriptions", {"x-functions-key": key}
        self.made: list[str] = []

    def subscribe(self, receiver: Receiver, **asked: Any) -> dict[str, Any]:
        answer = requests.post(self._url, json={"url": receiver.url, **asked}, headers=self._headers, timeout=30)
        assert answer.status_code == 201, answer.text
        self.made.append(answer.headers["Location"])
        found: dict[str, Any] = answer.json()
        return found

    def call(self, method: str, location: str) -> requests.Response:
        return requests.request(method, location, headers=self._headers, timeout=30)


@pytest.fixture
def subscriber(client: Client, endpoints: Endpoints) -> Iterator[Subscriber]:
    it = Subscriber(client.app.url, endpoints.plugin_key)
    yield it
    for location in it.made:
        it.call("DELETE", location)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as it:
        yield it


def changed(client: Client) -> str:
    """An event about an account that the ERP gets; its id."""
    account = client.dataverse.create("account", {"name": "Told of"}, silent=True)
    body = {"table": "account", "id": account, "message": "Update", "operationId": str(uuid.uuid4())}
    sent = client.app.post_row({**body, "time": "2026-11-26T12:01:47Z"})
    assert sent.status_code == 202, sent.text
    event_id: str = sent.json()["eventId"]
    return event_id


def test_a_subscriber_is_told_how_an_event_ended_until_it_unsubscribes(
    client: Client, subscriber: Subscriber, receiver: Receiver
) -> None:
    made = subscriber.subscribe(receiver, tables=["account"])
    client.erp.add_fault("PUT .*", status=422, times=1)
    failed, done = changed(client), changed(client)

    eventually(lambda: receiver.of(failed) and receiver.of(done), within=30, what="both notifications")
    outcomes = {it["eventId"]: (it["outcome"], it["reason"]) for it in receiver.notifications}
    assert sorted([outcomes[failed], outcomes[done]], key=str) == [("done", None), ("failed", "erp-rejected")]
    assert receiver.all_signed(made["secret"])

    [location] = subscriber.made
    assert subscriber.call("GET", location).json()["receiver"] == receiver.url.partition("?")[0]
    assert subscriber.call("DELETE", location).status_code == 204
    client.app.wait_for(later := changed(client))
    with receiving() as other:
        subscriber.subscribe(other, tables=["account"])
        last = changed(client)
        eventually(lambda: other.of(last), within=30, what="a notification of the other subscription")
    assert receiver.of(later) == receiver.of(last) == []


def test_a_receiver_that_refuses_and_is_slow_gets_every_notification_in_the_end(
    client: Client, subscriber: Subscriber, receiver: Receiver
) -> None:
    receiver.answers, receiver.slow_seconds = [500, 503, 302, 404, 500], 0.2
    subscriber.subscribe(receiver, outcomes=["done"])
    events = [changed(client) for _ in range(3)]

    eventually(lambda: all(receiver.of(it) for it in events), within=60, what="a notification of each event")
    assert len(receiver.headers) >= len(events) + 5
    assert len({it["webhook-id"] for it in receiver.headers}) == len(events)


def test_a_receiver_that_is_away_is_told_when_it_is_back(client: Client, subscriber: Subscriber) -> None:
    with receiving() as away:
        subscriber.subscribe(away)
        port = int(away.url.rpartition(":")[2].partition("/")[0])
    event_id = changed(client)
    location = subscriber.made[0]
    eventually(
        lambda: subscriber.call("GET", location).json().get("failedWith") == "webhook-unreachable",
        within=30,
        what="a delivery that failed",
    )
    with receiving(port) as back:
        eventually(lambda: back.of(event_id), within=60, what="the notification")
    eventually(
        lambda: "failingSince" not in subscriber.call("GET", location).json(), within=30, what="a clean subscription"
    )


def test_a_receiver_that_answers_410_is_never_called_again(
    client: Client, subscriber: Subscriber, receiver: Receiver
) -> None:
    receiver.answers = [410]
    subscriber.subscribe(receiver)
    changed(client)
    eventually(lambda: subscriber.call("GET", subscriber.made[0]).status_code == 404, within=30, what="no subscription")
