"""What people do in each kind of ERP, and its books in the words of the REST contract."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from integration.systems.odata.keys import number_of
from sandbox.client import Client
from sandbox.systems.business_central.fields import BLANK
from tests.books.history import History
from tests.books.keyless import translated
from tests.end_to_end.journeys import Person


@dataclass(frozen=True)
class People(ABC):
    """People in the ERP of `client`. `new_order` is the request that makes an order, as a fault matches it."""

    client: Client
    kind = ""
    new_order = ""
    ways: tuple[str, ...] = ("",)
    """The endpoints for events between which the ERP has a choice."""

    @property
    def in_dataverse(self) -> Person:
        """Somebody who works in Dataverse."""
        return Person(self.client)

    @abstractmethod
    def hold(self, account: str, *, on: bool) -> None:
        """Put the customer of an account on hold, or take it from there."""

    def send_events_by(self, way: str) -> None:
        """Choose the endpoint for events, one of `ways`; raises `ValueError` where there is only one."""
        raise ValueError(f"{self.kind} has one way for its events, and none is called {way}")

    def effects(self, row_id: str) -> list[dict[str, Any]]:
        """What was really done for a row, oldest first, in the words of the REST contract."""
        history = History(0)
        accounts = {row["accountid"]: row for row in self.client.dataverse.rows("account")}
        history.rows = {f"account:{it}": row for it, row in ({row_id: None} | accounts).items()}
        history.effects = self.client.erp.effects()
        return [it for it in translated(self.kind, history).effects if it["id"] == row_id]

    def made(self, row_id: str) -> set[str]:
        """The numbers that customers or orders of a row have got."""
        return {str(it["number"]) for it in self.effects(row_id)}

    def state(self, row_id: str) -> Mapping[str, Any]:
        """The customer or order of a row as it is now."""
        found: Mapping[str, Any] = self.effects(row_id)[-1]["body"]
        return found

    def created(self, row_id: str) -> int:
        """How often the customer or order of a row was created; an order counts with its line."""
        return sum(it["kind"].endswith("-created") for it in self.effects(row_id))

    def _control(self, method: str, path: str, body: Any) -> None:
        answer = requests.request(method, f"{self.client.erp.url}/control/{path}", json=body, timeout=10)
        answer.raise_for_status()


class OfTheRestContract(People):
    """People in an ERP of the REST contract."""

    kind = "rest"
    new_order = "PUT /api/orders/"

    def hold(self, account: str, *, on: bool) -> None:
        self.client.erp.set_customer(account, onHold=on)

    def effects(self, row_id: str) -> list[dict[str, Any]]:
        return [it for it in self.client.erp.effects() if it["id"] == row_id]


class InBusinessCentral(People):
    """People in Business Central."""

    kind = "business-central"
    new_order = "POST .*/salesOrders$"

    def hold(self, account: str, *, on: bool) -> None:
        number = number_of(account, "CRM-")
        effects = self.client.erp.effects()
        [row_id] = {it["id"] for it in effects if it["kind"] == "customer-created" and it["number"] == number}
        self._control("PATCH", f"customers/{row_id}", {"blocked": "All" if on else BLANK})


class InFinance(People):
    """People in Finance & Operations."""

    kind = "finance-operations"
    new_order = "POST /data/SalesOrderHeadersV2"
    ways = ("https", "service-bus", "event-grid")

    def hold(self, account: str, *, on: bool) -> None:
        self._control("PATCH", f"CustomersV3/{number_of(account, 'CRM-')}", {"OnHoldStatus": "All" if on else "No"})

    def send_events_by(self, way: str) -> None:
        self.client.erp.send_events_by(way)


PEOPLE: Mapping[str, Callable[[Client], People]] = {
    it.kind: it for it in (OfTheRestContract, InBusinessCentral, InFinance)
}
