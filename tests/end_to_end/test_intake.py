"""The intake over HTTP: who comes in, what is read, what is refused and how."""

import gzip
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integration import __version__
from sandbox.client import Client
from sandbox.repository import PAYLOADS
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import DataverseClient
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


@pytest.mark.parametrize(
    "name", ["async_createmultiple_account", "async_updatemultiple_account", "async_merge_account"]
)
def test_a_message_about_several_rows_is_an_event_for_each(client: Client, name: str) -> None:
    """Each has its own state; sent again, they are the same events."""
    told = context_of(f"constructed/{name}")
    body = payload(f"constructed/{name}").replace(told["OperationId"].encode(), str(uuid.uuid4()).encode())
    first, again = client.app.post_webhook(body), client.app.post_webhook(body)
    assert (first.status_code, first.json()) == (202, again.json())
    ended = [client.app.wait_for(event["eventId"]) for event in first.json()["events"]]
    assert [it["recordId"][:8] for it in ended] == ["55555555", "66666666"]
    assert {it["state"] for it in ended} == {"superseded"}  # neither row is in the sandbox


def test_a_body_in_chunks_gets_an_answer_that_says_why(client: Client, endpoints: Any) -> None:
    """The Functions host hands over none of it; a 400 about missing JSON would mislead."""
    headers = {"x-functions-key": endpoints.webhook_key, "Content-Type": "application/json"}
    chunks = iter([b'{"MessageName":', b'"Update"}'])
    answer = requests.post(f"{client.app.url}/api/dataverse/webhook", data=chunks, headers=headers, timeout=10)
    assert answer.status_code == 411, answer.text
    assert "Content-Length" in answer.json()["detail"]


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


def test_a_token_of_entra_opens_what_its_roles_say(client: Client, endpoints: Any) -> None:
    """The partner's application may send and look; that of the app itself has no role, and its key does not help it."""

    def bearing(who: DataverseClient) -> dict[str, str]:
        return dict(sign_in("api://dataverse-integration", who).headers)  # type: ignore[arg-type] # text, both

    partner, other = bearing(endpoints.dataverse_person), bearing(endpoints.dataverse_client)
    body = context_of("webhook_async_delete_lead", OperationId=str(uuid.uuid4()))
    url = f"{client.app.url}/api/operations"
    sent = client.app.post_webhook(body, key="", headers=partner)
    assert sent.status_code == 202, sent.text
    status = requests.get(f"{url}/{sent.json()['eventId']}", headers=partner, timeout=10)
    assert status.status_code in {200, 202}
    assert client.app.wait_for(sent.json()["eventId"])["state"] in {"no-handler", "superseded", "completed"}
    refused = client.app.post_webhook(body, headers=other)
    assert (refused.status_code, refused.json()["title"]) == (403, "Not an application that may send")
    expired = client.app.post_webhook(body, headers={"Authorization": "Bearer e30.e30.e30"})
    assert expired.status_code == 401
    assert expired.headers["WWW-Authenticate"].startswith("Bearer")

    def looked(headers: dict[str, str]) -> int:
        return requests.get(url, params={"correlation_id": "x"}, headers=headers, timeout=10).status_code

    assert (looked(partner), looked(other)) == (200, 403)


def test_operations_need_their_own_key_in_a_header(client: Client, endpoints: Any) -> None:
    """A caller of the intake lists nothing; support's key sees everything and stays out of addresses."""

    def asked(**how: Any) -> int:
        params = {"correlation_id": "x", **how.pop("params", {})}
        return requests.get(f"{client.app.url}/api/operations", params=params, timeout=10, **how).status_code

    assert asked(headers={"x-functions-key": endpoints.webhook_key}) == 401
    assert asked(params={"code": endpoints.operations_key}) == 401
    assert asked(headers={"x-functions-key": endpoints.operations_key}) == 200


def test_a_flow_follows_the_location_until_the_event_is_settled(client: Client, endpoints: Any) -> None:
    """As Logic Apps and Power Automate do: 202 and Retry-After until then, 200 and the outcome at the end."""
    row_id = client.dataverse.create("account", {"name": "Followed"}, silent=True)
    client.erp.add_fault("PUT .*", status=503, times=1)
    key = {"x-functions-key": endpoints.webhook_key}
    body = {"EventName": "AccountUpdated", "RecordId": row_id, "Timestamp": "2026-11-26T12:01:47Z"}
    sent = requests.post(f"{client.app.url}/api/events", json=body, headers=key, timeout=30)
    location = sent.headers["Location"]
    assert (sent.status_code, int(sent.headers["Retry-After"]) > 0) == (202, True)
    assert location == f"{client.app.url}/api/events/{sent.json()['eventId']}/outcome"

    seen = [requests.get(location, headers=key, timeout=10)]
    deadline = time.monotonic() + 30
    while seen[-1].status_code == 202 and time.monotonic() < deadline:
        assert (seen[-1].headers["Location"], int(seen[-1].headers["Retry-After"]) > 0) == (location, True)
        time.sleep(0.1)
        seen.append(requests.get(location, headers=key, timeout=10))
    assert {answer.status_code for answer in seen[:-1]} == {202}
    assert (seen[-1].status_code, seen[-1].json()["outcome"], seen[-1].json()["state"]) == (200, "done", "completed")
    assert requests.get(location, params={"code": endpoints.webhook_key}, timeout=10).status_code == 200
    assert requests.get(location, timeout=10).status_code == 401
    assert requests.get(location, headers={"x-functions-key": endpoints.erp_events_key}, timeout=10).status_code == 404


def test_a_flow_whose_event_needs_a_person_fails_and_goes_on_once_support_has_repaired_it(
    client: Client, endpoints: Any
) -> None:
    """422 is no answer that Power Automate tries again: the action fails, with the reason in its output."""
    row_id = client.dataverse.create("account", {"name": "Refused"}, silent=True)
    client.erp.add_fault("PUT .*", status=422, times=1)
    key = {"x-functions-key": endpoints.webhook_key}
    body = {"EventName": "AccountUpdated", "RecordId": row_id, "Timestamp": "2026-11-26T12:01:47Z"}
    sent = requests.post(f"{client.app.url}/api/events", json=body, headers=key, timeout=30)
    event_id = sent.json()["eventId"]
    client.app.wait_for(event_id)

    failed = requests.get(sent.headers["Location"], headers=key, timeout=10)
    assert (failed.status_code, failed.json()["reason"]) == (422, "erp-rejected")
    looked = requests.get(f"{client.app.url}/api/events/{event_id}", headers=key, timeout=10)
    assert (looked.status_code, looked.json()["outcome"]) == (200, "failed")

    client.app.wait_for(client.app.act(f"{event_id}/retry").json()["eventId"])
    done = requests.get(sent.headers["Location"], headers=key, timeout=10)
    assert (done.status_code, done.json()["outcome"], done.json()["eventId"]) == (200, "done", event_id)


def test_a_row_that_a_flow_sends_reaches_the_erp_once_however_often_it_is_sent(client: Client) -> None:
    """The body of its trigger is enough; the flow's retry is the same event."""
    account = client.dataverse.create("account", {"name": "From a flow"}, silent=True)
    stored = client.dataverse.retrieve("account", account)
    columns = {name: stored[name] for name in ("@odata.etag", "modifiedon", "name")}
    body = {"table": "account", "columns": {**columns, "ItemInternalId": account, "SdkMessage": "Update"}}

    sent = [client.app.post_row(body) for _ in range(2)]

    assert [it.status_code for it in sent] == [202, 202]
    assert sent[0].json() == sent[1].json()
    assert client.app.wait_for(sent[0].json()["eventId"])["state"] == "completed"
    assert [effect["body"]["name"] for effect in client.erp.effects() if effect["id"] == account] == ["From a flow"]
    assert client.app.post_row({"table": "account", "columns": columns}).status_code == 400


def test_what_a_plug_in_changed_because_of_our_write_is_an_event(client: Client) -> None:
    """Under our user, nested, and the tag of our write above it: what it changes is business like any other's."""
    account = client.dataverse.create("account", {"name": "Before"}, silent=True)
    ours = context_of(
        "webhook_async_update_account_2019", PrimaryEntityId=account, OperationId=str(uuid.uuid4()), Stage=30
    )
    ours["SharedVariables"] = [{"key": "tag", "value": "dataverse-integration"}]
    nested = {**ours, "SharedVariables": [], "Depth": 2, "Stage": 40, "ParentContext": ours}

    answer = client.app.post_webhook(nested)

    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
    assert client.app.wait_for(answer.json()["eventId"])["state"] == "completed"
    assert [effect["body"]["name"] for effect in client.erp.effects() if effect["id"] == account] == ["Before"]


def test_two_changes_that_a_plug_in_reports_alike_both_reach_the_erp(client: Client) -> None:
    """The clock of an asynchronous plug-in counts whole seconds: the second change must not be taken for the first."""
    account = client.dataverse.create("account", {"name": "First"}, silent=True)
    body = {
        "EventName": "AccountUpdated",
        "RecordId": account,
        "ChangedFields": ["name"],
        "TriggeredBy": "66666666-6666-4666-8666-666666666666",
        "Timestamp": "2026-11-26T12:01:47.0000000Z",
    }
    for name in ("Second 1", "Second 2"):
        client.dataverse.update("account", account, {"name": name}, silent=True)
        client.app.wait_for(client.app.post_plugin_event(body).json()["eventId"])

    sent = [effect["body"]["name"] for effect in client.erp.effects() if effect["id"] == account]
    assert sent == ["Second 1", "Second 2"]


def odd_contexts() -> Iterator[dict[str, Any]]:
    """Values that no reader here has a form for, each in a column or parameter that nobody reads."""
    plain = context_of("webhook_async_update_account_2019")
    contracts = "http://schemas.microsoft.com/xrm/2011/Contracts"
    for odd in (
        {"__type": f"Money:{contracts}", "Value": None},
        {"__type": f"OptionSetValue:{contracts}", "Value": None},
        {"__type": f"EntityReference:{contracts}", "Id": plain["PrimaryEntityId"], "LogicalName": None},
        "/Date(253402300800000)/",
        10**30,
        float("nan"),
        [[[[{"Value": [None]}]]]],
    ):
        target = {**plain["InputParameters"][0]["value"], "Attributes": [{"key": "new_odd", "value": odd}]}
        yield {**plain, "InputParameters": [{"key": "Target", "value": target}]}
    custom = {"MessageName": "new_Check", "PrimaryEntityName": "none", "PrimaryEntityId": None}
    yield {**plain, **custom, "InputParameters": [{"key": "Target", "value": "EU-West"}]}
    target = {"LogicalName": "account", "Id": plain["PrimaryEntityId"], "Attributes": [{"Key": "name", "Value": "x"}]}
    yield {**plain, "InputParameters": [{"Key": "Target", "Value": target}]}


@pytest.mark.parametrize("context", [*odd_contexts()])
def test_an_odd_value_never_refuses_an_event(client: Client, context: dict[str, Any]) -> None:
    """Dataverse never sends again after a 400: the change would be lost for a column that nobody reads."""
    answer = client.app.post_webhook({**context, "OperationId": str(uuid.uuid4())})
    assert answer.status_code == 202, answer.text
    assert client.app.wait_for(answer.json()["eventId"])["state"] in {"superseded", "no-handler", "completed"}


def test_the_host_reads_no_more_than_a_megabyte(client: Client) -> None:
    """Before the app can ask for a key; the platform's own 413 has no body."""
    answer = client.app.post_webhook(b" " * 1_100_000, key="wrong")
    assert (answer.status_code, answer.content) == (413, b"")


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (b"<xml/>", {"Content-Type": "text/xml"}, 415, "application/json"),
        (gzip.compress(b"{}", mtime=0), {"Content-Encoding": "gzip"}, 415, "content-encoding"),
        (b"not gzip", {"Content-Encoding": "gzip"}, 415, "content-encoding"),
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


def test_a_plug_in_payload_says_what_is_wrong_with_it(client: Client) -> None:
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
