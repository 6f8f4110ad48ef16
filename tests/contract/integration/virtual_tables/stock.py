"""What the ERPs of these tests have in stock: the same customers, with names that are hard to quote."""

import random
from decimal import Decimal
from typing import Any

from tests.contract.integration.virtual_tables.provider import Provider

NAMES = ("Fabrikam", "fabrikam AG", "Contoso Ltd", "O'Neill & Sons", "Müller", "100% Wool", "a_b", "Zebra+Co", "A*Star")
CITIES = ("", "Graz", "graz", "Köln", "London")
BLOCKED = (None, "Invoice", "All")
COUNT = 40
_THERE = {
    "business-central": {None: "_x0020_"},
    "finance-operations": {None: "No"},
}


def stock(provider: Provider) -> None:
    """Enter the customers, and keep them as the rows that the set should have."""
    chance = random.Random(17)  # noqa: S311 -- rows of a test
    for number in range(COUNT):
        row = {
            "number": f"C{number:03}",
            "name": chance.choice(NAMES),
            "city": chance.choice(CITIES) or None,
            "creditlimit": Decimal(chance.choice(("0", "0.5", "100", "100.25", "5000"))),
            "blocked": chance.choice(BLOCKED),
        }
        enter(provider, row)
        provider.customers.append(row)


def enter(provider: Provider, row: dict[str, Any]) -> None:
    """Enter one customer."""
    kind = provider.subject.name
    blocked = _THERE[kind].get(row["blocked"], row["blocked"])
    if kind == "business-central":
        body = {
            "number": row["number"], "displayName": row["name"], "city": row["city"] or "",
            "creditLimit": float(row["creditlimit"]), "blocked": blocked,
        }  # fmt: skip
    else:
        body = {
            "CustomerAccount": row["number"], "OrganizationName": row["name"], "AddressCity": row["city"] or "",
            "CreditLimit": float(row["creditlimit"]), "OnHoldStatus": blocked, "CustomerGroupId": "20",
            "SalesCurrencyCode": "USD",
        }  # fmt: skip
    provider.subject.system.control("POST", "customers", json=body)
