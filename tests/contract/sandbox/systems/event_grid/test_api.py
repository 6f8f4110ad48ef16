"""The stand-in of Event Grid takes what Microsoft's client publishes, and refuses what Event Grid refuses."""

import json
from typing import Any

import pytest
import requests
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridPublisherClient

from tests.contract.sandbox.systems.stand_in import StandIn, Start

KEY = "event-grid-sandbox-key"
PATHS = ("/api/events?api-version=2018-01-01", "/topics/settled:publish?api-version=2024-06-01")
EVENT = {"specversion": "1.0", "id": "1", "source": "/contoso", "type": "contoso.changed"}


@pytest.fixture(scope="module")
def event_grid(start: Start) -> StandIn:
    return start("event_grid")


def client(event_grid: StandIn, topic: str | None, key: str = KEY) -> EventGridPublisherClient:
    more = {} if topic is None else {"namespace_topic": topic}
    path = "/api/events" if topic is None else ""
    return EventGridPublisherClient(f"{event_grid.url}{path}", AzureKeyCredential(key), **more)


def taken(event_grid: StandIn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = event_grid.control("GET", "events").json()
    return found


def post(event_grid: StandIn, body: Any, path: str = PATHS[0], **headers: str) -> requests.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"aeg-sas-key": KEY, "Content-Type": "application/cloudevents-batch+json", **headers}
    return event_grid.http.post(event_grid.url + path, data=data, headers=given, timeout=10)


@pytest.mark.parametrize("topic", [None, "settled"])
def test_microsofts_client_publishes_to_both_kinds_of_topics(event_grid: StandIn, topic: str | None) -> None:
    events = [
        CloudEvent("/contoso", "contoso.changed", data={"n": n}, extensions={"correlationid": "c"}) for n in (1, 2)
    ]
    client(event_grid, topic).send(events)
    assert [it["data"] for it in taken(event_grid)[-2:]] == [{"n": 1}, {"n": 2}]
    assert taken(event_grid)[-1]["correlationid"] == "c"


@pytest.mark.parametrize("topic", [None, "settled"])
def test_microsofts_client_meets_the_errors_of_event_grid(event_grid: StandIn, topic: str | None) -> None:
    with pytest.raises(ClientAuthenticationError):
        client(event_grid, topic, "another key").send(CloudEvent("/contoso", "contoso.changed", data=1))
    with pytest.raises(HttpResponseError) as refused:
        client(event_grid, topic).send(CloudEvent("/contoso", "contoso.changed", data="x" * 1_100_000))
    assert refused.value.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        EVENT,
        [1],
        [EVENT | {"id": ""}],
        [EVENT | {"specversion": "0.3"}],
        [EVENT | {"correlationId": "upper case"}],
        [EVENT | {"extra": {"nested": 1}}],
        [EVENT | {"time": "yesterday"}],
        [EVENT | {"time": "2026-11-27T01:02:03"}],
    ],
)
def test_what_is_no_batch_of_cloud_events_is_400(event_grid: StandIn, body: Any) -> None:
    before = len(taken(event_grid))
    answer = post(event_grid, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert len(taken(event_grid)) == before


def test_a_request_is_taken_whole_or_not_at_all(event_grid: StandIn) -> None:
    before = len(taken(event_grid))
    assert post(event_grid, [EVENT, EVENT | {"type": None}]).status_code == 400
    assert len(taken(event_grid)) == before


def test_each_kind_of_topic_has_its_version_and_its_key(event_grid: StandIn) -> None:
    assert post(event_grid, [EVENT], PATHS[0].replace("2018-01-01", "2020-01-01")).status_code == 400
    assert post(event_grid, [EVENT], PATHS[1]).status_code == 401
    assert post(event_grid, [EVENT], PATHS[1], Authorization=f"SharedAccessKey {KEY}").status_code == 200
    bearer = {"aeg-sas-key": "another key", "Authorization": "Bearer token"}
    assert post(event_grid, [EVENT], PATHS[0], **bearer).status_code == 401
    with_token = {"Authorization": "Bearer token", "Content-Type": "application/cloudevents-batch+json"}
    assert event_grid.http.post(event_grid.url + PATHS[0], json=[EVENT], headers=with_token, timeout=10).ok
