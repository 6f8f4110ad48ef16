"""What is sent: captured webhooks about rows that are there, half of them accounts, half opportunities.

Each event has its own record, so its own session, and one effect: an account becomes an ERP customer, an opportunity is
scored. For each event the worker reads the row, has that one effect, and writes the result back.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.bench import load
from sandbox.bench.load import Call, Job
from sandbox.client import Client
from sandbox.repository import PAYLOADS
from sandbox.running import registration
from sandbox.running.dataverse_client import sign_in
from sandbox.running.endpoints import Endpoints

_CAPTURED = PAYLOADS / "webhook_async_update_account_2019.json"
_WEB_API = "/api/data/v9.2"
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One planted row."""

    table: str
    id: str


class Workload:
    """Rows in the Dataverse stand-in, and the webhooks about them."""

    def __init__(self, reached: Endpoints, client: Client) -> None:
        self._reached = reached
        self._client = client
        self._template: dict[str, Any] = json.loads(_CAPTURED.read_text(encoding="utf-8-sig"))

    def silence_steps(self) -> None:
        """Remove the registered steps: planting rows shall send nothing, only the load generator calls the intake."""
        with sign_in(self._reached.dataverse, self._reached.dataverse_client) as session:
            for step in registration.steps():
                url = f"{self._reached.dataverse}{_WEB_API}/sdkmessageprocessingsteps({step.id})"
                session.delete(url, timeout=10).raise_for_status()

    def plant(self, count: int) -> list[Record]:
        """So many rows, by turns accounts and opportunities."""
        customer = self._client.dataverse.create("account", {"name": "Bench customer"})
        euro = self._client.dataverse.currency("EUR", "Euro")
        records = [Record(("account", "opportunity")[number % 2], str(uuid.uuid4())) for number in range(count)]
        with sign_in(self._reached.dataverse, self._reached.dataverse_client) as session:
            headers = {name: str(value) for name, value in session.headers.items()} | {
                "Content-Type": "application/json"
            }
        calls = [
            Call("POST", f"{_WEB_API}/{path}", headers, json.dumps(columns))
            for path, columns in (_row(record, customer, euro) for record in records)
        ]
        ca_file = self._reached.dataverse_client.ca_file
        planted = load.run(Job(self._reached.dataverse, calls, _CONNECTIONS, ca_file=ca_file))
        refused = [reply for reply in planted.replies if reply.status != 204]
        if refused:
            raise RuntimeError(f"a row could not be created: {refused[0].status} {refused[0].body}")
        return records

    def calls(self, records: list[Record]) -> list[Call]:
        """One webhook for each record."""
        path = f"/api/dataverse/webhook?code={self._reached.webhook_key}"
        return [Call("POST", path, {"Content-Type": "application/json"}, self._context(record)) for record in records]

    def _context(self, record: Record) -> str:
        """The captured context, about this record; ids of its own make it an event of its own."""
        target = self._template["InputParameters"][0]
        changed = {**target["value"], "Id": record.id, "LogicalName": record.table}
        context = self._template | {
            "PrimaryEntityId": record.id,
            "PrimaryEntityName": record.table,
            "MessageName": "Update" if record.table == "account" else "Create",
            "InputParameters": [{**target, "value": changed}],
            **{name: str(uuid.uuid4()) for name in ("OperationId", "RequestId", "CorrelationId")},
        }
        return json.dumps(context)


def _row(record: Record, customer: str, euro: str) -> tuple[str, dict[str, Any]]:
    if record.table == "account":
        return "accounts", {"accountid": record.id, "name": f"Bench {record.id}"}
    return "opportunities", {
        "opportunityid": record.id,
        "name": f"Bench {record.id}",
        "estimatedvalue": 48_000,
        "customerid_account@odata.bind": f"/accounts({customer})",
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({euro})",
    }


def batches(records: list[Record], sizes: list[int]) -> Iterator[list[Record]]:
    """Cut `records` into parts of these sizes."""
    start = 0
    for size in sizes:
        yield records[start : start + size]
        start += size
