"""The intake over HTTP: who comes in, what is read, what is refused and how."""

import json
import uuid
from typing import Any

import pytest
import requests

from integration import __version__
from sandbox.client import Client
from sandbox.repository import PAYLOADS
from tests.end_to_end.journeys import context_of, payload

CAPTURED = sorted(path.stem for path in PAYLOADS.glob("*.json") if not path.stem.endswith(".headers"))


@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_body_is_accepted_and_settles(client: Client, name: str) -> None:
    """What a real environment has sent gets 202 and an end; only the operation's id is another, so that it is new."""
    told = context_of(name)
    body = payload(name).replace(told["OperationId"].encode(), str(uuid.uuid4()).encode())
    answer = client.app.post_webhook(body)
    assert answer.status_code == 202, answer.text
    status = client.app.wait_for(answer.json()["eventId"])
    assert status["message"] == told["MessageName"]
    assert status["table"] == told["PrimaryEntityName"]
    assert status["correlationId"] == told["CorrelationId"]
    assert status["state"] in {"no-handler", "superseded", "completed"}


def test_a_redelivery_gets_the_same_event_id(client: Client) -> None:
    """Dataverse sends once more after a 503; key order and white space do not make another event of it."""
    context = context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))
    again = json.dumps(dict(reversed(context.items())), indent=2).encode()
    first, second = client.app.post_webhook(context), client.app.post_webhook(again)
    assert first.json() == second.json()


@pytest.mark.parametrize("key", ["", "wrong", "ümläut"])
def test_without_a_right_key_nobody_comes_in(client: Client, key: str) -> None:
    """401 with a problem that says how to send a key; nothing is queued."""
    answer = client.app.post_webhook(payload("webhook_async_delete_lead"), key=key)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "x-functions-key" in answer.text or "no longer" in answer.text
    assert answer.headers["WWW-Authenticate"]


def test_the_key_may_travel_in_the_header(client: Client, endpoints: Any) -> None:
    """As the Functions host's own keys do; a wrong header is not rescued by a right query parameter."""
    body = payload("webhook_async_delete_lead")
    right = client.app.post_webhook(body, key="", headers={"x-functions-key": endpoints.webhook_key})
    wrong = client.app.post_webhook(body, headers={"x-functions-key": "wrong"})
    assert (right.status_code, wrong.status_code) == (202, 401)


def test_operations_need_their_own_key(client: Client, endpoints: Any) -> None:
    """A caller of the intake does not see what others sent."""
    answer = requests.get(
        f"{endpoints.functions}/api/operations/x", headers={"x-functions-key": endpoints.webhook_key}, timeout=10
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (b"<xml/>", {"Content-Type": "text/xml"}, 415, "application/json"),
        (b"", {}, 400, ""),
        (b"{", {}, 400, ""),
        (b"[]", {}, 400, ""),
        (b'{"MessageName": 5}', {}, 400, "MessageName"),
        (b"[" * 100_000, {}, 400, ""),
        (b'{"MessageName": "' + b"x" * 600_000 + b'"}', {}, 413, "524288"),
        (b"\xff\xfe\x00", {}, 400, ""),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_place(
    client: Client, body: bytes, headers: dict[str, str], status: int, told: str
) -> None:
    """400, 413 and 415 as problems; never a 500, never a retry of what cannot succeed."""
    answer = client.app.post_webhook(body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert told in answer.text


def test_a_lean_payload_says_what_is_wrong_with_it(client: Client) -> None:
    """All faults at once, each with its place; an unknown EventName names the known ones."""
    answer = client.app.post_plugin_event({"EventName": "Unheard", "RecordId": "no guid", "Timestamp": "yesterday"})
    assert answer.status_code == 400
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert {"/RecordId", "/Timestamp"} <= pointers
    known = client.app.post_plugin_event(
        {"EventName": "Unheard", "RecordId": str(uuid.uuid4()), "Timestamp": "2026-11-20T10:15:30Z"}
    )
    assert "OpportunityUpdated" in known.text


def test_an_unknown_event_is_404_and_a_strange_id_400(client: Client) -> None:
    """Support hears what it asked for wrongly."""
    assert client.app.operation("202601010000-" + "0" * 32) is None
    with pytest.raises(requests.HTTPError, match="400"):
        client.app.operation("x' or 1 eq 1")


def test_health_is_open_and_says_ready(client: Client) -> None:
    """Probes carry no key; the answer names the version that runs."""
    answer = requests.get(f"{client.app.url}/api/health", timeout=10)
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "version": __version__,
        "checks": {"workQueue": "ok", "eventHub": "ok", "ledger": "ok"},
    }
