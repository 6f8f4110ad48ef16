"""The books of an ERP that honours no key, in the words in which the checker reads those of the REST contract.

A customer is one of an account by the number that the app gives, an order one of an opportunity by its reference. What
has no line has no effect: an order counts as created when it gets one. A second line counts its amount twice, so it
counts as a second order.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from integration.systems.odata.keys import number_of
from tests.books.history import History, Json

_PREFIX, _LOCAL = "CRM-", "EUR"


@dataclass(slots=True)
class _Order:
    """An order with its lines by their ids."""

    header: Json
    lines: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Words:
    """How a system says what the checker wants to know."""

    number: str
    customer: Callable[[Json], Json]
    order: Callable[[Json, Json], Json]
    reference: str
    ordered_by: str


def translated(erp: str, history: History) -> History:
    """The same history with the ERP's effects in the words of the REST contract; one of that contract as it is."""
    words = _WORDS.get(erp)
    if words is not None:
        history.effects = [*_effects(words, history)]
    return history


def drafts(effects: list[Json]) -> tuple[int, int]:
    """Of an ERP without keys, the orders that were created, and those of them that are there now and have no line."""
    created = sum(it["kind"] == "order-created" for it in effects)
    filled = {str(it["number"]) for it in effects if it["kind"] == "order-line-created"}
    there: set[str] = set()
    for it in effects:
        if it["kind"] == "order-created":
            there.add(str(it["number"]))
        elif it["kind"] == "order-deleted":
            there.discard(str(it["number"]))
    return created, len(there - filled)


def _effects(words: _Words, history: History) -> Iterator[Json]:
    accounts = {number_of(it, _PREFIX): it for it in _accounts(history.rows)}
    orders: dict[str, _Order] = {}
    for number, effect in enumerate(history.effects):
        kind, body, order_number = effect["kind"], effect["body"], str(effect["number"])
        said: Json = {"key": str(number), "number": order_number}
        if kind.startswith("customer-"):
            account = accounts.get(body[words.number], body[words.number])
            content = {"sourceVersion": 0, **words.customer(body)}
            content["currency"] = _currency(content["currency"], history.rows.get(f"account:{account}"))
            yield {**said, "kind": kind, "id": account, "body": content}
            continue
        if kind.startswith("order-line-"):
            orders[order_number].lines[effect["id"]] = body
            made = kind == "order-line-created"
        elif kind == "order-deleted":
            orders.pop(order_number, None)
            continue
        elif kind.startswith("order-"):
            orders.setdefault(order_number, _Order(body)).header = body
            made = False
        else:
            continue
        order = orders[order_number]
        if order.lines:
            line = [*order.lines.values()][-1]
            content = {"sourceVersion": 0, **words.order(order.header, line)}
            content["customerId"] = accounts.get(order.header[words.ordered_by])
            row_id = str(UUID(order.header[words.reference]))
            yield {**said, "kind": f"order-{'created' if made else 'updated'}", "id": row_id, "body": content}


def _accounts(rows: Mapping[str, Json | None]) -> Iterator[str]:
    """The accounts that were used, also those that no event was about."""
    for record, row in rows.items():
        table, _, row_id = record.partition(":")
        if table == "account":
            yield row_id
        elif row is not None:
            yield row["_customerid_value"]


def _currency(code: str, row: Json | None) -> str | None:
    """These systems do not tell the local currency from none."""
    local = code in {"", _LOCAL}
    return None if local and (row is None or row["_transactioncurrencyid_value"] is None) else code or _LOCAL


_WORDS = {
    "business-central": _Words(
        number="number",
        customer=lambda it: {
            "name": it["displayName"],
            "phone": it["phoneNumber"] or None,
            "currency": it["currencyCode"],
            "status": "blocked" if it["blocked"] == "All" else "active",
        },
        order=lambda header, line: {
            "title": line["description"],
            "amount": str(line["unitPrice"]),
            "currency": header["currencyCode"] or _LOCAL,
            "closedOn": header["orderDate"],
            "status": "confirmed" if line["quantity"] else "on-hold",
        },
        reference="externalDocumentNumber",
        ordered_by="customerNumber",
    ),
    "finance-operations": _Words(
        number="CustomerAccount",
        customer=lambda it: {
            "name": it["OrganizationName"],
            "phone": it["PrimaryContactPhone"] or None,
            "currency": it["SalesCurrencyCode"],
            "status": "blocked" if it["OnHoldStatus"] == "All" else "active",
        },
        order=lambda header, line: {
            "title": line["LineDescription"],
            "amount": str(line["SalesPrice"]),
            "currency": header["CurrencyCode"],
            "closedOn": header["RequestedShippingDate"][:10],
            "status": "on-hold" if header["IsSalesProcessingStopped"] == "Yes" else "confirmed",
        },
        reference="CustomersOrderReference",
        ordered_by="OrderingCustomerAccountNumber",
    ),
}
KEYLESS = tuple(_WORDS)
"""The kinds of ERP whose books are read here."""
