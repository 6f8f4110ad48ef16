"""Somebody with a token who asks the stand-in."""

import uuid
from typing import Any

import requests

from tests.contract.sandbox.systems.stand_in import StandIn

USUAL = {"customer_numbers": "manual", "order_numbers": "automatic", "closed_until": ""}
ALL = "cross-company=true"


class Caller:
    """Asks with a token, in the user's own company unless a path says otherwise."""

    def __init__(self, system: StandIn) -> None:
        self.system = system
        self.token = self.sign_in().json()["access_token"]

    def sign_in(self, **changes: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": "finance-operations-sandbox-client",
            "client_secret": "finance-operations-sandbox-secret",
            "scope": f"{self.system.url}/.default",
        }
        return self.system.http.post(f"{self.system.url}/contoso/oauth2/v2.0/token", data=form | changes, timeout=5)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        sent = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): it for name, it in headers.items()}
        return self.system.http.request(method, f"{self.system.url}/data/{path}", json=body, headers=sent, timeout=5)

    def person(self, act: str, number: str) -> requests.Response:
        """What people do to an order in the application itself."""
        return self.system.http.post(f"{self.system.url}/control/orders/{number}/{act}", timeout=5)

    def values(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self("GET", path).json()["value"]
        return found

    def customer(self, **fields: object) -> dict[str, Any]:
        made = self("POST", "CustomersV3", a_customer(**fields))
        assert made.status_code == 201, made.text
        row: dict[str, Any] = made.json()
        return row

    def order(self, *, lines: int = 1, **fields: object) -> dict[str, Any]:
        body = an_order(self.customer()["CustomerAccount"]) | fields
        made: dict[str, Any] = self("POST", "SalesOrderHeadersV2", body).json()
        for _ in range(lines):
            assert self.line(made["SalesOrderNumber"]).status_code == 201
        return made

    def line(self, number: str, **fields: object) -> requests.Response:
        return self("POST", "SalesOrderLines", {"SalesOrderNumber": number, "ItemNumber": "S0001"} | fields)

    def batch(self, *parts: str) -> requests.Response:
        """A change set of requests as they are sent."""
        lines = ["--b", "Content-Type: multipart/mixed; boundary=c", ""]
        for number, part in enumerate(parts, start=1):
            lines += ["--c", "Content-Type: application/http", f"Content-ID: {number}", "", part]
        text = "\r\n".join([*lines, "--c--", "--b--", ""])
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "multipart/mixed; boundary=b"}
        return self.system.http.post(f"{self.system.url}/data/$batch", data=text, headers=headers, timeout=5)


def a_customer(**fields: object) -> dict[str, object]:
    number = f"C-{uuid.uuid4().hex[:12].upper()}"
    usual = {"CustomerGroupId": "10", "SalesCurrencyCode": "EUR", "OrganizationName": "Alpine Ski House"}
    return {"CustomerAccount": number, **usual, **fields}


def an_order(account: str) -> dict[str, object]:
    return {
        "OrderingCustomerAccountNumber": account,
        "InvoiceCustomerAccountNumber": account,
        "CurrencyCode": "EUR",
        "RequestedShippingDate": "2026-11-20T12:00:00Z",
    }


def infolog(answer: requests.Response) -> str:
    """What X++ says of a refusal."""
    said: str = answer.json()["error"]["innererror"]["message"]
    return said
