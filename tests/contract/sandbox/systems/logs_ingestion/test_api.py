"""The stand-in of the Logs Ingestion API takes what Microsoft's client sends, and refuses what Azure Monitor does."""

import gzip
import json
import time
from collections.abc import MutableMapping
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.monitor.ingestion import LogsIngestionClient

from sandbox.systems.logs_ingestion.api import RULE, SCOPE, STREAM
from tests.contract.sandbox.systems.stand_in import StandIn, Start

SECRET = "logs-sandbox-secret"
ROW: dict[str, Any] = {"TimeGenerated": "2026-11-20T10:00:00Z", "EventId": "e-1", "Attempts": 2}


@pytest.fixture(scope="module")
def logs(start: Start) -> StandIn:
    return start("logs_ingestion")


@pytest.fixture(autouse=True)
def fresh(logs: StandIn) -> None:
    logs.control("DELETE", "rows")
    logs.control("DELETE", "faults")
    logs.control("POST", "role", json={"assigned": True})


def token(logs: StandIn, secret: str = SECRET) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": "logs-sandbox-client", "client_secret": secret}
    return logs.http.post(f"{logs.url}/token", data={**form, "scope": SCOPE}, timeout=10)


class Credential:
    """A token of the stand-in."""

    def __init__(self, logs: StandIn) -> None:
        self._token = token(logs).json()["access_token"]

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == (SCOPE,)
        return AccessToken(self._token, int(time.time()) + 3_600)


class _PlainHttp(SansIOHTTPPolicy[Any, Any]):
    """In place of the SDK's own policy, which sends tokens over https alone."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._credential.get_token(SCOPE).token}"


def client(logs: StandIn) -> LogsIngestionClient:
    credential = Credential(logs)
    return LogsIngestionClient(
        logs.url, credential, authentication_policy=_PlainHttp(credential), retry_total=1, retry_backoff_factor=0.0
    )


def rows(logs: StandIn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = logs.control("GET", "rows").json()
    return found


def post(logs: StandIn, body: Any, **headers: str) -> requests.Response:
    given = {"Content-Type": "application/json", "Authorization": f"Bearer {token(logs).json()['access_token']}"}
    url = f"{logs.url}/dataCollectionRules/{RULE}/streams/{STREAM}?api-version=2023-01-01"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return logs.http.post(url, data=data, headers={**given, **headers}, timeout=10)


def test_microsofts_client_sends_rows_to_the_table(logs: StandIn) -> None:
    """It cuts 3 MB into requests itself, and compresses them."""
    sent: list[MutableMapping[str, Any]] = [
        {**ROW, "EventId": f"e-{number}", "Reason": "x" * 300_000} for number in range(10)
    ]
    client(logs).upload(RULE, STREAM, sent)
    assert [it["EventId"] for it in rows(logs)] == [f"e-{number}" for number in range(10)]


def test_the_table_has_its_columns_and_no_others(logs: StandIn) -> None:
    """What has no column is dropped, and what is of another type is null, without a word to the sender."""
    client(logs).upload(RULE, STREAM, [{**ROW, "Priority": "high", "Attempts": "many"}])
    [row] = rows(logs)
    assert (row["EventId"], row["Attempts"], row["Reason"]) == ("e-1", None, None)
    assert "Priority" not in row


def test_microsofts_client_meets_the_errors_of_log_analytics(logs: StandIn) -> None:
    with pytest.raises(ResourceNotFoundError):
        client(logs).upload("dcr-1", STREAM, [ROW])
    with pytest.raises(ResourceNotFoundError):
        client(logs).upload(RULE, "Custom-Other_CL", [ROW])
    logs.control("POST", "role", json={"assigned": False})
    with pytest.raises(HttpResponseError) as refused:
        client(logs).upload(RULE, STREAM, [ROW])
    assert refused.value.status_code == 403
    assert "does not have access to ingest data" in str(refused.value)
    one = client(logs)
    logs.control("POST", "expire-tokens")
    with pytest.raises(ClientAuthenticationError):
        one.upload(RULE, STREAM, [ROW])
    assert rows(logs) == []


def test_microsofts_client_waits_when_it_is_told_to(logs: StandIn) -> None:
    logs.fault("POST /dataCollectionRules", status=429, times=1, headers={"Retry-After": "0"})
    client(logs).upload(RULE, STREAM, [ROW])
    assert len(rows(logs)) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_a_request_over_the_limit_is_refused_whole(logs: StandIn, packed: bool) -> None:
    body = json.dumps([{"Reason": "x" * 1_100_000}]).encode()
    answer = post(logs, gzip.compress(body), **{"Content-Encoding": "gzip"}) if packed else post(logs, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "ContentLengthLimitExceeded")
    assert rows(logs) == []


@pytest.mark.parametrize("body", [{}, [1], b"[", b'[{"a":NaN}]', b"[" * 100_000])
def test_what_is_no_array_of_rows_is_400(logs: StandIn, body: Any) -> None:
    assert (post(logs, body).status_code, rows(logs)) == (400, [])


def test_what_is_no_gzip_or_no_json_by_its_header_is_refused(logs: StandIn) -> None:
    assert post(logs, [ROW], **{"Content-Encoding": "gzip"}).status_code == 400
    assert post(logs, [ROW], **{"Content-Type": "text/plain"}).status_code == 415


def test_a_token_is_for_the_client_that_knows_its_secret(logs: StandIn) -> None:
    assert token(logs, "wrong").status_code == 401
