"""Rows and payloads that the journeys start from."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

from sandbox.client import Client
from sandbox.repository import PAYLOADS

EURO = "c0000000-0000-4000-8000-000000000001"


def payload(name: str) -> bytes:
    """A captured body, byte for byte."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def context_of(name: str, **changes: Any) -> dict[str, Any]:
    """A captured body as JSON, some of its keys changed."""
    found: dict[str, Any] = json.loads(payload(name).decode("utf-8-sig"))
    return {**found, **changes}


@dataclass(frozen=True)
class Person:
    """A person who works in Dataverse; each method returns the event id of what it caused."""

    client: Client

    def account(self, **columns: Any) -> str:
        """A new account, through to the ERP; its id."""
        row_id, _ = self.create("account", {"name": f"Account {uuid.uuid4().hex[:8]}", **columns})
        return row_id

    def opportunity(self, account_id: str, amount: float, *, currency: str = EURO) -> tuple[str, str]:
        """A new open opportunity of an account; its id and its event's."""
        return self.create(
            "opportunity",
            {
                "name": f"Deal {uuid.uuid4().hex[:8]}",
                "estimatedvalue": amount,
                "customerid_account@odata.bind": f"/accounts({account_id})",
                "transactioncurrencyid@odata.bind": f"/transactioncurrencies({currency})",
            },
        )

    def create(self, table: str, columns: dict[str, Any]) -> tuple[str, str]:
        """Create a row and wait for its event to settle."""
        before = self.client.dataverse.last_event()
        row_id = self.client.dataverse.create(table, columns)
        return row_id, self._settled(row_id, before)

    def update(self, table: str, row_id: str, columns: dict[str, Any]) -> str:
        """Change a row and wait for its event to settle."""
        before = self.client.dataverse.last_event()
        self.client.dataverse.update(table, row_id, columns)
        return self._settled(row_id, before)

    def win(self, opportunity_id: str) -> str:
        """Close an opportunity as won and wait for its event to settle."""
        before = self.client.dataverse.last_event()
        self.client.dataverse.win(opportunity_id)
        return self._settled(opportunity_id, before)

    def merge(self, table: str, master: str, subordinate: str) -> str:
        """Merge a row into another one and wait for the event to settle."""
        before = self.client.dataverse.last_event()
        self.client.dataverse.merge(table, master, subordinate)
        return self._settled(master, before)

    def change(self, table: str, row_id: str, columns: dict[str, Any]) -> str:
        """Change a row; its event is accepted, not yet settled."""
        before = self.client.dataverse.last_event()
        self.client.dataverse.update(table, row_id, columns)
        return self.client.dataverse.event_id(row_id, after=before)

    def delete(self, table: str, row_id: str) -> str:
        """Delete a row and wait for its event to settle."""
        before = self.client.dataverse.last_event()
        self.client.dataverse.delete(table, row_id)
        return self._settled(row_id, before)

    def _settled(self, row_id: str, before: int) -> str:
        event_id = self.client.dataverse.event_id(row_id, after=before)
        self.client.app.wait_for(event_id)
        return event_id


def effects_of(client: Client, row_id: str) -> list[str]:
    """What the ERP has really done for a row, in order."""
    return [effect["kind"] for effect in client.erp.effects() if effect["id"] == row_id]


def state_in_erp(client: Client, row_id: str) -> str:
    """The status that the ERP was last given for a row."""
    return str([effect["body"]["status"] for effect in client.erp.effects() if effect["id"] == row_id][-1])


def charges_for(client: Client, opportunity_id: str) -> list[dict[str, Any]]:
    """What credit scoring has charged for an opportunity."""
    return [charge for charge in client.credit.charges() if charge["reference"] == opportunity_id]
