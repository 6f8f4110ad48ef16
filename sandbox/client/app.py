"""The app's HTTP functions: the intake, and the status of events."""

import json
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import requests

_TIMEOUT = 30.0
_ACTION_TIMEOUT = 60.0
"""As long as the commands wait: a page of a reconciliation may take 40 s to heal."""
_POLL_SECONDS = 0.05

SETTLED = frozenset({"completed", "superseded", "no-handler", "dead-lettered", "resolved", "resubmitted", "discarded"})
"""Final states of an event."""


class EventTimeoutError(Exception):
    """An event did not reach the state in time; the message has its last status."""


class App:
    """The functions at `url`; keys are those of endpoints.json. One thread at a time."""

    def __init__(self, url: str, webhook_key: str, plugin_key: str, operations_key: str) -> None:
        self.url = url
        self.webhook_key = webhook_key
        self._plugin_key = plugin_key
        self._operations_key = operations_key
        self.erp_key = ""
        self._session = requests.Session()
        self._session.trust_env = False

    def post_webhook(
        self, body: bytes | Mapping[str, Any], *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send a RemoteExecutionContext as Dataverse does, with its key in the query."""
        return self._post("/api/dataverse/webhook", body, self.webhook_key if key is None else key, headers)

    def post_plugin_event(
        self, body: bytes | Mapping[str, Any], *, key: str | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send the small payload of a plug-in."""
        return self._post("/api/events", body, self._plugin_key if key is None else key, headers)

    def post_row(self, body: bytes | Mapping[str, Any]) -> requests.Response:
        """Send a row as a flow of Power Automate does."""
        return self._post("/api/rows", body, self._plugin_key, None)

    def post_erp_event(
        self,
        name: str,
        body: bytes | Mapping[str, Any] | list[Any],
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send an event of the ERP, or a list of them."""
        return self._post(f"/api/erp/events/{name}", body, self.erp_key if key is None else key, headers)

    def operation(self, event_id: str) -> dict[str, Any] | None:
        """The status of an event; None when the ledger has none."""
        answer = self._get(f"/api/operations/{event_id}", {})
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def operations(self, correlation_id: str) -> list[dict[str, Any]]:
        """The statuses of the events that share a correlation id."""
        answer = self._get("/api/operations", {"correlation_id": correlation_id})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["operations"]
        return found

    def problems(self, state: str = "dead-lettered", **narrowed: str) -> list[dict[str, Any]]:
        """The events that are dead-lettered or wait; `reason`, `system` and `table` narrow the list."""
        answer = self._get("/api/operations/problems", {"state": state, **narrowed})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["problems"]
        return found

    def bulk(self, bulk_id: str) -> dict[str, Any]:
        """A bulk operation, with its items."""
        return self.listed(f"bulk/{bulk_id}")

    def audit(self, **wanted: str) -> list[dict[str, Any]]:
        """What people did, newest first."""
        found: list[dict[str, Any]] = self.listed("audit", **wanted)["entries"]
        return found

    def listed(self, path: str, **wanted: str) -> dict[str, Any]:
        """What operations answer to a GET."""
        answer = self._get(f"/api/operations/{path}", wanted)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def act(self, path: str, **body: Any) -> requests.Response:
        """Post a request to the operations, such as `{event id}/retry`; a reason is added if the body has none."""
        return self._session.post(
            f"{self.url}/api/operations/{path}",
            json={"why": "asked for by hand", **body},
            headers={"x-functions-key": self._operations_key},
            timeout=_ACTION_TIMEOUT,
        )

    def newest_event(self, table: str, record_id: str, *, since: datetime) -> str | None:
        """The id of the newest event of a record, if it was accepted after `since`."""
        found = self.listed("events", table=table, record_id=record_id)["events"]
        after = [it["eventId"] for it in found if datetime.fromisoformat(it["acceptedAt"]) >= since]
        return after[0] if after else None

    def wait_for(self, event_id: str, states: Collection[str] = SETTLED, *, within: float = 30.0) -> dict[str, Any]:
        """The status of an event once it is in one of `states`; raises `EventTimeoutError`."""
        deadline = time.monotonic() + within
        while True:
            found = self.operation(event_id)
            if found is not None and found["state"] in states:
                return found
            if time.monotonic() > deadline:
                raise EventTimeoutError(
                    f"Event {event_id} is not {' or '.join(sorted(states))} after {within:g} s: {json.dumps(found)}"
                )
            time.sleep(_POLL_SECONDS)

    def health(self) -> requests.Response:
        """What GET /api/health answers."""
        return self._get("/api/health", {})

    def _post(
        self, path: str, body: bytes | Mapping[str, Any] | list[Any], key: str, headers: Mapping[str, str] | None
    ) -> requests.Response:
        return self._session.post(
            self.url + path,
            params={"code": key},
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
            timeout=_TIMEOUT,
        )

    def _get(self, path: str, params: dict[str, str]) -> requests.Response:
        headers = {"x-functions-key": self._operations_key}
        return self._session.get(self.url + path, params=params, headers=headers, timeout=_TIMEOUT)
