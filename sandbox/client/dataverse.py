"""Works in the Dataverse stand-in as a person does, and shows what it has published."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import requests

from sandbox.client.stand_in import StandIn
from sandbox.client.waiting import eventually
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import DataverseClient

_TIMEOUT = 10.0
_ASYNCHRONOUS = 1
_SILENT = {"MSCRM.BypassBusinessLogicExecution": "CustomSync,CustomAsync"}


class Dataverse(StandIn):
    """Rows, changed by `user`, and the events that the changes have published. One thread at a time."""

    def __init__(self, url: str, user: DataverseClient) -> None:
        self._user = sign_in(url, user)
        super().__init__(url, self._user)

    def create(self, table: str, columns: dict[str, Any], row_id: str | None = None, *, silent: bool = False) -> str:
        """Create a row, with the given id if there is one; returns its id. `silent`: no step fires."""
        row_id = row_id or str(uuid.uuid4())
        columns = {f"{table}id": row_id, **columns}
        self.ask("POST", _entity_set(table), json=columns, headers=_SILENT if silent else {})
        return row_id

    def update(self, table: str, row_id: str, columns: dict[str, Any], *, silent: bool = False) -> None:
        """Change columns of an existing row. `silent`: no step fires."""
        headers = {"If-Match": "*", **(_SILENT if silent else {})}
        self.ask("PATCH", f"{_entity_set(table)}({row_id})", json=columns, headers=headers)

    def win(self, opportunity_id: str) -> None:
        """Close an opportunity as won, as the form's button does: for its estimated value, today."""
        closing = {
            "subject": "Won",
            "opportunityid@odata.bind": f"/opportunities({opportunity_id})",
        }
        self.ask("POST", "WinOpportunity", json={"Status": 3, "OpportunityClose": closing})

    def merge(self, table: str, master: str, subordinate: str) -> None:
        """Merge a row into another one of its table, as people do with doubles."""

        def row(row_id: str) -> dict[str, str]:
            return {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": row_id}

        rows = {"Target": row(master), "Subordinate": row(subordinate)}
        self.ask("POST", "Merge", json={**rows, "UpdateContent": {}, "PerformParentingChecks": False})

    def delete(self, table: str, row_id: str, *, silent: bool = False) -> None:
        """Delete a row. `silent`: no step fires."""
        self.ask("DELETE", f"{_entity_set(table)}({row_id})", headers=_SILENT if silent else {})

    def retrieve(self, table: str, row_id: str) -> dict[str, Any]:
        """A row with all its columns."""
        row: dict[str, Any] = self.ask("GET", f"{_entity_set(table)}({row_id})").json()
        return row

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows of a table with all their columns, page by page."""
        page: dict[str, Any] = {"@odata.nextLink": _entity_set(table)}
        while following := page.get("@odata.nextLink"):
            page = self.ask("GET", following.partition("/api/data/v9.2/")[2] or following).json()
            yield from page["value"]

    def matching(self, entity_set: str, condition: str) -> list[dict[str, Any]]:
        """The rows of an entity set for which a `$filter` holds; those of a virtual table are the other system's."""
        found: list[dict[str, Any]] = self.ask("GET", entity_set, params={"$filter": condition}).json()["value"]
        return found

    def currency(self, code: str, name: str) -> str:
        """The id of the currency with this ISO code, which is created when there is none."""
        found = self.matching("transactioncurrencies", f"isocurrencycode eq '{code}'")
        if found:
            return str(found[0]["transactioncurrencyid"])
        columns = {"isocurrencycode": code, "currencyname": name, "currencysymbol": code, "exchangerate": 1}
        return self.create("transactioncurrency", columns)

    def last_event(self) -> int:
        """The number of the last published event; 0 if there is none."""
        events = self._published(0, 5_000)
        return int(events[-1]["seq"]) if events else 0

    def spare(self) -> None:
        """Let faults of the stand-in hit the app only, not this client."""
        self._user.headers["X-Sandbox-Spare"] = "true"

    def events(self, *, after: int = 0, limit: int = 5_000) -> list[dict[str, Any]]:
        """What steps have published after event number `after`, oldest first, with every answer to it.

        `limit` of them at most. What synchronous steps have asked is left out.
        """
        return [it for it in self._published(after, limit) if it["mode"] == _ASYNCHRONOUS]

    def questions(self, *, after: int = 0) -> list[dict[str, Any]]:
        """What synchronous steps have asked after event number `after`, oldest first, with every answer to it."""
        return [it for it in self._published(after, 5_000) if it["mode"] != _ASYNCHRONOUS]

    def _published(self, after: int, limit: int) -> list[dict[str, Any]]:
        published: list[dict[str, Any]] = self._control("GET", f"events?after={after}&limit={limit}").json()
        return published

    def enforce_limits(self, **limits: float) -> None:
        """Enforce service-protection limits for each user from now on, with the fields of `limits.Limits`."""
        self._control("POST", "limits", json=limits)

    def clear_limits(self) -> None:
        """Only count requests again."""
        self._control("DELETE", "limits")

    def quiet(self) -> None:
        """Wait until every change has been published and answered."""
        self._control("POST", "quiet")

    def export(
        self, connection: str, container: str, table: str, *, layout: str = "intervals", finished: bool = True
    ) -> str:
        """Export what has changed in a table since the last time, as Synapse Link does; the folder of the interval."""
        wanted: dict[str, Any] = {"connection": connection, "container": container, "tables": [table]}
        wanted |= {"layout": layout, "finished": finished}
        return str(self._control("POST", "export", json=wanted).json()["folder"])

    def event_id(self, row_id: str, *, after: int = 0, within: float = 20.0) -> str:
        """The app's id of the first event of a row that was published after `after`, once the app has answered it."""

        def ask() -> str | None:
            for event in self.events(after=after):
                if event["id"] == row_id and event["attempts"]:
                    answer = event["attempts"][-1].get("answer")
                    return None if not answer else _first_event(json.loads(answer))
            return None

        return eventually(ask, within=within, what=f"an event of row {row_id}") or ""

    def ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """A request to the Web API; raises `requests.HTTPError` with what Dataverse answered."""
        answer = self._user.request(method, f"{self.url}/api/data/v9.2/{path}", timeout=_TIMEOUT, **arguments)
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {_said(answer)}", response=answer)
        return answer


def _first_event(said: dict[str, Any]) -> str:
    """Of a message about several rows, the event of the row that it names itself."""
    return str(said["events"][0]["eventId"] if "events" in said else said["eventId"])


def _entity_set(table: str) -> str:
    return f"{table[:-1]}ies" if table.endswith("y") else f"{table}s"


def _said(answer: requests.Response) -> str:
    """The message of an OData error; the body where it has another form."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
