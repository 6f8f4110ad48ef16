"""What the custom connector does in the platform, by its definition, against the running app."""

import time
from typing import Any

import pytest
import requests

from documentation.connector import definition
from sandbox.client import Client, eventually
from sandbox.running.endpoints import Endpoints
from tests.receiver import receiving


class Platform:
    """Carries actions out as Power Automate does: a 202 is followed until the answer is another one."""

    def __init__(self, url: str, key: str) -> None:
        self.connector = definition(url.partition("://")[2])
        self._base = url + self.connector["basePath"]
        self._headers = {self.connector["securityDefinitions"]["key"]["name"]: key}

    def subscribe(self, operation_id: str, url: str, **asked: Any) -> tuple[requests.Response, set[str]]:
        """Switch a flow with this trigger on; also what the designer offers of a notification."""
        where, _, operation = self._found(operation_id)
        [body] = operation["parameters"]
        [name] = [it for it, part in body["schema"]["properties"].items() if part.get("x-ms-notification-url")]
        content = self.connector["paths"][where]["x-ms-notification-content"]["schema"]["properties"]
        return self.run(operation_id, {name: url, **asked}), set(content)

    def unsubscribe(self, subscribed: requests.Response) -> requests.Response:
        """Switch the flow off."""
        return requests.delete(subscribed.headers["Location"], headers=self._headers, timeout=30)

    def _found(self, operation_id: str) -> tuple[str, str, dict[str, Any]]:
        return next(
            (where, method, it)
            for where, methods in self.connector["paths"].items()
            for method, it in methods.items()
            if it.get("operationId") == operation_id
        )

    def run(self, operation_id: str, body: Any = None, **path: str) -> requests.Response:
        """The last answer; it has to be one that the definition names, with the properties that it names."""
        where, method, operation = self._found(operation_id)
        answer = requests.request(
            method, self._base + where.format(**path), json=body, headers=self._headers, timeout=30
        )
        deadline = time.monotonic() + 30
        while answer.status_code == 202 and time.monotonic() < deadline:
            time.sleep(0.2)
            answer = requests.get(answer.headers["Location"], headers=self._headers, timeout=30)
        said = operation["responses"][str(answer.status_code)]
        if "schema" in said:
            assert answer.json().keys() == said["schema"]["properties"].keys()
        return answer


@pytest.fixture
def platform(client: Client, endpoints: Endpoints) -> Platform:
    return Platform(client.app.url, endpoints.plugin_key)


def test_an_action_sends_a_row_and_ends_with_its_outcome(platform: Platform, client: Client) -> None:
    account = client.dataverse.create("account", {"name": "By the connector"}, silent=True)
    trigger = {"ItemInternalId": account, "SdkMessage": "Create", "@odata.etag": 'W/"7"'}
    columns = {**trigger, "modifiedon": "2026-11-26T12:01:47Z", "name": "By the connector"}

    sent = platform.run("SendRow", {"table": "account", "columns": columns})

    assert (sent.status_code, sent.json()["outcome"]) == (200, "done")
    read = platform.run("ReadOutcome", event_id=sent.json()["eventId"])
    waited = platform.run("WaitForOutcome", event_id=sent.json()["eventId"])
    assert read.json() == waited.json() == sent.json()


def test_an_action_fails_when_its_event_needs_a_person(platform: Platform, client: Client) -> None:
    account = client.dataverse.create("account", {"name": "Refused"}, silent=True)
    client.erp.add_fault("PUT .*", status=422, times=1)
    row = {"table": "account", "id": account, "message": "Update", "time": "2026-11-26T12:01:47Z"}

    failed = platform.run("SendRow", {**row, "operationId": "run-1"})

    assert (failed.status_code, failed.json()["reason"]) == (422, "erp-rejected")
    assert platform.run("ReadOutcome", event_id=failed.json()["eventId"]).json()["outcome"] == "failed"


def test_a_trigger_starts_a_flow_for_each_event_that_ends_until_it_is_switched_off(
    platform: Platform, client: Client
) -> None:
    account = client.dataverse.create("account", {"name": "Triggered"}, silent=True)
    row = {"table": "account", "id": account, "message": "Update", "time": "2026-11-26T12:01:47Z"}
    with receiving() as flow:
        subscribed, offered = platform.subscribe("WhenAnEventEnds", flow.url, tables=["account"])
        sent = platform.run("SendRow", {**row, "operationId": "run-2"})
        eventually(lambda: flow.of(sent.json()["eventId"]), within=30, what="a run of the flow")
        assert flow.notifications[0].keys() == offered
        assert (subscribed.status_code, platform.unsubscribe(subscribed).status_code) == (201, 204)
